/*
 * Why a command of an engine failed.  Engines only give an exit status, and what they print is for
 * people; what a registry said stands in their last words nevertheless.
 */
#ifndef MODELGATE_STAGE_ENGINE_CAUSE_H
#define MODELGATE_STAGE_ENGINE_CAUSE_H

enum engine_command { ENGINE_BUILD, ENGINE_PUSH };

struct engine_cause {
	int passing;        /* as in struct err */
	const char *what;   /* in words; NULL: not known */
	const char *remedy; /* what to do; NULL: nothing that is known here */
};

/*
 * The last words in SAID, which is the end of what a command printed: its last line, or what follows
 * from the last one that begins as an error.  The caller's to free(), harmless for a terminal.
 */
char *engine_cause_words(const char *said);
/*
 * What WORDS mean for COMMAND.  What is not known is passing for a push, which the retries bound, and
 * lasting for a build: what a Dockerfile does wrong, it does again.
 */
struct engine_cause engine_cause_of(enum engine_command command, const char *words);

#endif
