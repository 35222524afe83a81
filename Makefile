# modelgate.  `make help` says what there is to make.
# Every rule is here: to look among those of Fortran and SCCS takes three times as long as all the rest.
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

PREFIX ?= /usr/local
SYSCONFDIR ?= $(if $(filter /usr /usr/local,$(PREFIX)),/etc,$(PREFIX)/etc)
DESTDIR ?=
BUILD ?= build
# One name for one folder, however it was given: by it objects find what they depend on.
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
CC ?= cc
V ?= 0
TOOLS_PATH ?=
FUZZ_SECONDS ?= 60
BENCH_ROUNDS ?= 40
PROPERTY_CASES ?= 2000
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo 0.1.0)

comma := ,
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)')

PKGS := libgit2 libcurl json-c inih sqlite3 yaml-0.1 zlib libsodium
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS := $(shell pkg-config --libs $(PKGS))

CFLAGS ?= -O2 -g
WARNINGS := -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -Wvla -Wwrite-strings $(if $(CI),-Werror)
HARDEN := -fstack-protector-strong -fPIE \
	$(if $(findstring -fsanitize,$(CFLAGS)),,$(if $(findstring -O,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
ALL_CFLAGS = $(WARNINGS) $(HARDEN) -D_POSIX_C_SOURCE=200809L -Icommon -I$(GEN) $(PKG_CFLAGS) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# The gates need nothing of the machine but its kernel.  Sanitizers want the C library shared: what they
# build has the other libraries in it alone, for a shared libgit2 takes longer to start than a gate to judge.
# Debian's libgit2.a cannot be made position independent.
STATIC ?= $(if $(findstring -fsanitize,$(CFLAGS)),libraries,1)
GATE_PKGS := libgit2 json-c inih sqlite3 yaml-0.1 zlib
GATE_LDFLAGS := $(if $(filter 1,$(STATIC)),-static -Wl$(comma)--fatal-warnings) -no-pie -Wl,-z,relro,-z,now \
	-Wl,--wrap=dlopen $(LDFLAGS)
GATE_LIBS := -Wl,-Bstatic $(shell pkg-config --libs $(GATE_PKGS)) -lhttp_parser -lpcre2-8 \
	$(if $(filter 1,$(STATIC)),,-Wl$(comma)-Bdynamic) -lm
GEN := $(BUILD)/gen

# One archive a room, in link order: a program takes from them what it needs and no more.
ROOMS := gate chain stage audit git net data sys base
ARCHIVES := $(ROOMS:%=$(BUILD)/lib/%.a)
GATES := pre-receive update post-receive
PROGRAMS := $(GATES:%=$(BUILD)/bin/%) $(BUILD)/bin/modelgate

object = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
# Beside the three gates' own files, what they share.
GATE_OBJECTS := $(call object,$(filter-out $(GATES:%=hooks/%.c),$(sort $(wildcard hooks/*.c))))
COMMAND_OBJECTS := $(call object,$(sort $(wildcard hooks/modelgate/*.c)) hooks/past.c)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(sort $(wildcard tests/unit/*/*.c)))
TEST_LIBRARY := $(BUILD)/lib/tests.a
FUZZ_NAMES := $(filter-out replay,$(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c))))
REPLAYS := $(FUZZ_NAMES:%=$(BUILD)/tests/replay/%)
# What the property test and the replay of real histories ask.
JUDGE_CASES := $(BUILD)/tests/property/judge-cases
# What ends programs at a call of theirs.
KILL_AT := $(BUILD)/tests/kill-at
# What writes audit logs of any length.
MAKE_LOG := $(BUILD)/tests/make-log
FUZZERS := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/%)
MAN_PAGES := $(sort $(wildcard hooks/*.[1-8] hooks/modelgate/*.[1-8] config/*.[1-8]))

# The hook tests run the programs as they are when installed here.
ROOT ?= $(abspath $(BUILD))/root
ROOT_PROGRAMS := $(GATES:%=$(ROOT)/libexec/modelgate/%) $(ROOT)/bin/modelgate

link = $(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(ALL_LDFLAGS) -o $@ $(1) $(ARCHIVES) $(PKG_LIBS) $(2)
ifneq ($(STATIC),0)
# What stands in for members of libgit2.a goes before them.
GATE_ALONE := $(call object,$(sort $(wildcard common/git/static/*.c)))
link_gate = $(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) $(GATE_LDFLAGS) -o $@ $(1) $(GATE_ALONE) $(ARCHIVES) $(GATE_LIBS)
else
GATE_ALONE :=
link_gate = $(link)
endif

all: $(PROGRAMS) ## the programs, in build/bin

$(BUILD)/obj/%.o: %.c | $(GEN)/paths-built.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Objects of test programs see the tests' own headers too.
$(BUILD)/obj/tests/%.o: ALL_CFLAGS += -Itests/lib

# The project that `modelgate new` makes lies in this object, byte by byte.
$(BUILD)/obj/common/stage/templates.o: \
	$(wildcard config/*.template config/*.py) $(shell find config/project -type f 2>/dev/null)

# So does what the page of `modelgate audit report` is made of.
$(BUILD)/obj/common/audit/page.o: $(addprefix common/audit/page.,html css js)

define room_rule
$$(BUILD)/lib/$(1).a: $$(call object,$$(sort $$(wildcard common/$(1)/*.c)))
	@mkdir -p $$(@D)
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rule,$(room))))

$(GATES:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/obj/hooks/%.o $(GATE_OBJECTS) $(GATE_ALONE) $(ARCHIVES)
	$(call say,LD,$@)
	$(call link_gate,$< $(GATE_OBJECTS))

$(BUILD)/bin/modelgate: $(COMMAND_OBJECTS) $(ARCHIVES)
	$(call say,LD,$@)
	$(call link,$(COMMAND_OBJECTS))

# $(1): the file, $(2): the prefix, $(3): SYSCONFDIR, $(4): TOOLS_PATH.  Rewritten only when its
# content changes, so that another PREFIX compiles one object again.
define write_paths
	@mkdir -p $(dir $(1))
	@printf '#define PATHS_BUILT_COMMAND "%s"\n#define PATHS_BUILT_SYSTEM_CONFIG "%s"\n#define PATHS_BUILT_VERSION "%s"\n#define PATHS_BUILT_TOOLS "%s"\n' \
		'$(2)/bin/modelgate' '$(3)/modelgate/modelgate.ini' '$(VERSION)' '$(4)' >$(1).$$$$ && \
		if cmp -s $(1).$$$$ $(1); then rm $(1).$$$$; else mv $(1).$$$$ $(1); fi
endef

$(GEN)/paths-built.h: FORCE
	$(call write_paths,$@,$(PREFIX),$(SYSCONFDIR),$(TOOLS_PATH))

# The same objects and one other, which says that they are installed in $(ROOT).
$(ROOT)/obj/paths-built.h: FORCE
	$(call write_paths,$@,$(ROOT),$(ROOT)/etc,$(ROOT)/tools:)

$(ROOT)/obj/paths.o: GEN = $(ROOT)/obj
$(ROOT)/obj/paths.o: common/sys/paths.c $(ROOT)/obj/paths-built.h
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

$(GATES:%=$(ROOT)/libexec/modelgate/%): $(ROOT)/libexec/modelgate/%: \
	$(BUILD)/obj/hooks/%.o $(GATE_OBJECTS) $(GATE_ALONE) $(ROOT)/obj/paths.o $(ARCHIVES)
	$(call say,LD,$@)
	$(call link_gate,$< $(GATE_OBJECTS) $(ROOT)/obj/paths.o)

$(ROOT)/bin/modelgate: $(COMMAND_OBJECTS) $(ROOT)/obj/paths.o $(ARCHIVES)
	$(call say,LD,$@)
	$(call link,$(COMMAND_OBJECTS) $(ROOT)/obj/paths.o)

$(TEST_LIBRARY): $(call object,$(filter-out tests/lib/kill-at.c tests/lib/make-log.c,$(sort $(wildcard tests/lib/*.c))))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(UNIT_TESTS): $(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(TEST_LIBRARY) $(ARCHIVES)
	$(call say,LD,$@)
	$(call link,$< $(TEST_LIBRARY),-lcmocka)

$(JUDGE_CASES): $(BUILD)/obj/tests/property/driver.o $(ARCHIVES)
	$(call say,LD,$@)
	$(call link,$<)

$(KILL_AT): $(BUILD)/obj/tests/lib/kill-at.o $(ARCHIVES)
	$(call say,LD,$@)
	$(call link,$<)

$(MAKE_LOG): $(BUILD)/obj/tests/lib/make-log.o $(ARCHIVES)
	$(call say,LD,$@)
	$(call link,$<)

$(REPLAYS): $(BUILD)/tests/replay/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay.o $(ARCHIVES)
	$(call say,LD,$@)
	$(call link,$< $(BUILD)/obj/tests/fuzz/replay.o)

$(FUZZERS): $(BUILD)/tests/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(ARCHIVES)
	$(call say,LD,$@)
	$(call link,$<,-fsanitize=fuzzer)

# One after another: tests that wait for something do not like a crowd.
check: compile-all test-root layers ## all tests that need nothing beyond Debian's packages
	$(Q)$(MAKE) unit
	$(Q)$(MAKE) replay
	$(Q)$(MAKE) hooks-test

PROCESSORS := $(shell nproc)

# Each cmocka program speaks TAP, so that one prove counts them all.  What failed says why.
unit: $(UNIT_TESTS) ## the unit tests
	$(Q)state=--statefile=$(BUILD)/tests/failed; \
	prove -Q -j$(PROCESSORS) --exec tests/lib/cmocka-tap --state=save $$state $(UNIT_TESTS) || \
		{ $(PROVE) --exec tests/lib/cmocka-tap --state=failed $$state; exit 1; }

replay: $(REPLAYS) ## the corpus of each fuzz target, once
	$(Q)for t in $(REPLAYS); do $$t tests/fuzz/corpus/$${t##*/}/* || exit 1; done

test-root: $(ROOT_PROGRAMS) ## the programs as the hook tests run them

PROVE := prove --failures --comments
# Much of a hook test is waiting.
HOOK_JOBS ?= $(shell echo $$(($(PROCESSORS) > 4 ? $(PROCESSORS) : 4)))
HOOK_TESTS ?= $(sort $(wildcard tests/hooks/*.t))
hooks-test: test-root $(JUDGE_CASES) $(KILL_AT) $(MAKE_LOG) ## real pushes through the hooks (HOOK_TESTS=tests/hooks/NN-name.t: one file)
	$(Q)MODELGATE_BUILD=$(abspath $(BUILD)) $(PROVE) -j$(HOOK_JOBS) $(HOOK_TESTS)

property: $(JUDGE_CASES) ## the judge against a slow reference, on PROPERTY_CASES (2000) random histories
	$(Q)MODELGATE_BUILD=$(abspath $(BUILD)) PROPERTY_CASES=$(PROPERTY_CASES) \
		prove --failures --comments tests/property/run

replay-history: $(JUDGE_CASES) ## the judge against git on REPOSITORY=PATH, a clone with real history
	$(Q)MODELGATE_BUILD=$(abspath $(BUILD)) tests/replay/run $(REPOSITORY)

REAL_TESTS ?= $(sort $(wildcard tests/real/*.t))
real: test-root $(KILL_AT) $(MAKE_LOG) real-venv ## against MLflow, Airflow, DVC, s3 and image registries as they are released
	$(Q)MODELGATE_BUILD=$(abspath $(BUILD)) tests/real/run $(REAL_TESTS)

real-venv:
	$(call say,VENV,$(BUILD)/venv*)
	$(Q)tests/real/venv $(abspath $(BUILD))

# They build programs of their own, again and again, to see what a shell script does with them.
INSTALLER_TESTS := tests/hooks/00-install.t tests/hooks/71-upgrade.t tests/hooks/73-bundle.t

# Sanitizers write their reports into files: a hook's standard error may have no reader.  What else they
# write there, as of a process that was killed while it looked for leaks, is no report.  Warnings are
# no errors here, because instrumented code makes gcc see what is not there.
asan: ## check, with address and undefined behaviour sanitizers
	$(Q)rm -rf $(BUILD)/asan/reports && mkdir -p $(BUILD)/asan/reports
	$(Q)ASAN_OPTIONS=log_path=$(abspath $(BUILD))/asan/reports/asan:abort_on_error=0 \
		LSAN_OPTIONS=suppressions=$(abspath tests/lib/lsan.supp):print_suppressions=0 \
		UBSAN_OPTIONS=log_path=$(abspath $(BUILD))/asan/reports/ubsan:print_stacktrace=1 \
		$(MAKE) CI= BUILD=$(BUILD)/asan LDFLAGS='-static-libasan -static-libubsan' \
		CFLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined' \
		HOOK_TESTS='$(filter-out $(INSTALLER_TESTS),$(HOOK_TESTS))' check; status=$$?; \
		grep -hs -A40 -e ERROR: -e 'runtime error' $(BUILD)/asan/reports/* && exit 1; exit $$status

# The unit tests of what takes foreign bytes apart, and some pushes: a gate takes a second under it, a
# thousandfold, so that all of the suite is for who has a night (VALGRIND_UNIT=, VALGRIND_HOOKS=).
VALGRIND_BUILD := $(abspath $(BUILD))/valgrind
VALGRIND_UNIT ?= $(filter-out %/data/sqlite,$(filter $(foreach which,\
	base/% data/% gate/message gate/names gate/override gate/push,$(BUILD)/tests/unit/$(which)),$(UNIT_TESTS)))
VALGRIND_HOOKS ?= tests/hooks/19-policy.t
# The gates are linked with a shared C library here, whose malloc() valgrind can put its own in place of, and
# what stands where the tests look for programs, and the programs for each other, are scripts that run them under it.
valgrind: compile-all ## unit tests and pushes under valgrind
	$(Q)rm -rf $(VALGRIND_BUILD)/reports $(VALGRIND_BUILD)/programs $(VALGRIND_BUILD)/root
	+$(Q)$(MAKE) STATIC=libraries ROOT=$(VALGRIND_BUILD)/root test-root
	$(Q)mv $(VALGRIND_BUILD)/root $(VALGRIND_BUILD)/programs
	$(Q)mkdir -p $(VALGRIND_BUILD)/reports $(VALGRIND_BUILD)/root/bin $(VALGRIND_BUILD)/root/libexec/modelgate
	$(Q)ln -sfn ../tests $(VALGRIND_BUILD)/tests
	$(Q)$(CC) $(filter -W% -std=%,$(ALL_CFLAGS)) -O1 -g -fPIC -shared -o $(VALGRIND_BUILD)/exec.so tests/lib/valgrind-exec.c
	$(Q)for program in bin/modelgate $(GATES:%=libexec/modelgate/%); do \
		printf '#!/bin/sh\nLD_PRELOAD=%s exec %s %s %s "$$@"\n' $(VALGRIND_BUILD)/exec.so \
			$(abspath tests/lib/valgrind) $(VALGRIND_BUILD)/reports $(VALGRIND_BUILD)/programs/$$program >$(VALGRIND_BUILD)/root/$$program && \
			chmod 755 $(VALGRIND_BUILD)/root/$$program || exit 1; \
	done
	$(Q)status=0; \
	$(PROVE) -j$(PROCESSORS) --exec 'tests/lib/cmocka-tap tests/lib/valgrind $(VALGRIND_BUILD)/reports' $(VALGRIND_UNIT) || status=1; \
	TEST_PATIENCE=20 MODELGATE_BUILD=$(VALGRIND_BUILD) $(PROVE) -j$(PROCESSORS) $(VALGRIND_HOOKS) || status=1; \
	find $(VALGRIND_BUILD)/reports -type f -exec grep -h '^==' {} + | head -n 200 | grep . && exit 1; exit $$status

FUZZ_BUILD := $(BUILD)/fuzz
FUZZ_TARGETS ?= $(FUZZ_NAMES)
fuzz: ## FUZZ_TARGETS (all) for FUZZ_SECONDS (60) each, FUZZ_JOBS at once, with clang; a table of what came of it
	+$(Q)$(MAKE) BUILD=$(FUZZ_BUILD) CC=clang LDFLAGS= \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined' $(FUZZ_TARGETS:%=$(FUZZ_BUILD)/tests/fuzz/%)
	$(Q)FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/run $(FUZZ_BUILD)/tests/fuzz $(BUILD) $(FUZZ_TARGETS)

COVERAGE_BUILD := $(BUILD)/fuzz-coverage
fuzz-coverage: ## what the corpus of each fuzz target reaches, in lines and regions
	+$(Q)$(MAKE) BUILD=$(COVERAGE_BUILD) CC=clang LDFLAGS= \
		CFLAGS='-O1 -g -fprofile-instr-generate -fcoverage-mapping' $(FUZZ_NAMES:%=$(COVERAGE_BUILD)/tests/replay/%)
	$(Q)tests/fuzz/coverage $(COVERAGE_BUILD)/tests/replay $(BUILD) $(FUZZ_NAMES)

layers: ## no include against the layers
	$(Q)tests/layers

lint: layers ## warnings of two compilers, their analyzers, format, cppcheck, shellcheck, man pages, lengths
	+$(Q)MAKE='$(MAKE)' BUILD='$(BUILD)' tests/lint/run

# For tests/lint/run.
print-cflags: $(GEN)/paths-built.h
	@echo '$(ALL_CFLAGS) -Itests/lib'

compile-all: $(PROGRAMS) $(UNIT_TESTS) $(REPLAYS) $(JUDGE_CASES) $(KILL_AT) $(MAKE_LOG)

bench: test-root ## a push with our hooks against one with empty C hooks
	$(Q)mkdir -p $(BUILD)/bench && $(CC) $(CFLAGS) -o $(BUILD)/bench/empty-hook tests/bench/empty-hook.c
	$(Q)tests/bench/run $(ROOT) $(BUILD)/bench $(BENCH_ROUNDS)

INSTALL ?= install
UNIT_FILES := config/modelgate@.service config/modelgate-checkpoint.service config/modelgate-checkpoint.timer
SHARED := config/modelgate.ini config/audit-record.schema.json config/modelgate-images.conf config/gitlab-ci.yml
UNITS = $(PREFIX)/lib/systemd/system
# $(1): the mode, $(2): the folder, $(3): files.  What is in use is replaced in one step: install(1)
# takes the old file away before it writes the new one.  What is the same stays as it is.
define put_files
	$(Q)$(INSTALL) -d '$(2)'
	$(Q)for file in $(3); do \
		to='$(2)'/$${file##*/}; \
		if cmp -s $$file "$$to" && [ "$$(stat -c '%F %a %u' "$$to")" = "regular file $(1) $$(id -u)" ]; then \
			continue; \
		fi; \
		$(INSTALL) -m $(1) $$file "$$to.$$$$~" && mv -f "$$to.$$$$~" "$$to" || { rm -f "$$to.$$$$~"; exit 1; }; \
	done
endef

install: all ## into PREFIX (/usr/local), below DESTDIR
	$(call put_files,755,$(DESTDIR)$(PREFIX)/bin,$(BUILD)/bin/modelgate)
	$(call put_files,755,$(DESTDIR)$(PREFIX)/libexec/modelgate,$(GATES:%=$(BUILD)/bin/%))
	$(call put_files,644,$(DESTDIR)$(PREFIX)/share/modelgate,$(SHARED))
	$(Q)for file in $(UNIT_FILES); do sed 's|@PREFIX@|$(PREFIX)|' $$file >$(BUILD)/$${file##*/} || exit 1; done
	$(call put_files,644,$(DESTDIR)$(UNITS),$(addprefix $(BUILD)/,$(notdir $(UNIT_FILES))))
	$(call put_files,644,$(DESTDIR)$(PREFIX)/share/man/man1,$(filter %.1,$(MAN_PAGES)))
	$(call put_files,644,$(DESTDIR)$(PREFIX)/share/man/man5,$(filter %.5,$(MAN_PAGES)))
	$(call put_files,644,$(DESTDIR)$(PREFIX)/share/man/man7,$(filter %.7,$(MAN_PAGES)))

uninstall: ## what install has put there
	rm -f '$(DESTDIR)$(PREFIX)/bin/modelgate' $(foreach file,$(UNIT_FILES),'$(DESTDIR)$(UNITS)/$(notdir $(file))') \
		$(foreach file,$(SHARED),'$(DESTDIR)$(PREFIX)/share/modelgate/$(notdir $(file))') \
		$(foreach gate,$(GATES),'$(DESTDIR)$(PREFIX)/libexec/modelgate/$(gate)')
	rm -f $(foreach page,$(MAN_PAGES),'$(DESTDIR)$(PREFIX)/share/man/man$(patsubst .%,%,$(suffix $(page)))/$(notdir $(page))')
	-rmdir '$(DESTDIR)$(PREFIX)/libexec/modelgate' '$(DESTDIR)$(PREFIX)/share/modelgate' 2>/dev/null

clean: ## everything that was made
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  \1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16
	@echo
	@echo 'TOOLS_PATH=DIR: (with the colons) is put in front of the folders where stages look for tools.'
	@echo 'Variables: PREFIX DESTDIR BUILD CC CFLAGS LDFLAGS V=1 (show commands) CI=1 (-Werror)'
	@echo '  STATIC=0 (the gates are linked dynamically)'

FORCE:
.PHONY: all asan bench check clean compile-all fuzz fuzz-coverage help hooks-test install layers lint \
	print-cflags property real real-venv replay replay-history test-root uninstall unit valgrind FORCE
.DELETE_ON_ERROR:
.SECONDARY:

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
