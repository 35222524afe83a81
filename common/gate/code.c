#include "gate/code.h"

#include <stdio.h>
#include <string.h>

void code_text(enum code c, char out[CODE_TEXT_SIZE])
{
	(void)snprintf(out, CODE_TEXT_SIZE, "MG%03u", (unsigned)c % 1000);
}

const char *code_meaning(const char *text)
{
	static const struct {
		enum code code;
		const char *meaning;
	} codes[] = {{CODE_REWRITE, "a rewrite of history"},
		{CODE_DIRECT, "a direct commit on a branch that takes merges"},
		{CODE_SOURCE, "a merge from a branch that is not allowed"},
		{CODE_OCTOPUS, "a merge with more than two parents"},
		{CODE_CONTENT, "a merge whose content was changed by hand"},
		{CODE_METHOD, "a way to merge that the branch does not take"},
		{CODE_DELETE, "the deletion of a branch with rules"},
		{CODE_CREATE, "the creation of a branch from somewhere else"},
		{CODE_RETRAIN_NAME, "a retrain branch with a malformed name"},
		{CODE_RETRAIN_DATE, "a retrain branch with an impossible date"},
		{CODE_RETRAIN_PIPELINE, "a retrain branch of no known pipeline"},
		{CODE_RETRAIN_MOVED, "a retrain branch that landed before"},
		{CODE_LOOKALIKE, "a name like that of a branch with rules"},
		{CODE_RETRAIN_ORIGIN, "a retrain branch from another commit"},
		{CODE_RETRAIN_PATH, "a retrain branch that changes code"},
		{CODE_REQUIRED_FILE, "a required file is missing"},
		{CODE_MODEL_MISSING, "the model's pointer is missing"},
		{CODE_MODEL_POINTER, "the model's pointer is not valid"},
		{CODE_FORBIDDEN_FILE, "a forbidden or too large file"},
		{CODE_ROLE, "the pusher lacks the role"},
		{CODE_OVERRIDE, "an override that is not granted"},
		{CODE_CONFIG, "the configuration is invalid"},
		{CODE_REPOSITORY, "the repository cannot be read or judged"},
		{CODE_AUDIT, "the audit log cannot be written"}, {CODE_INPUT, "malformed input"},
		{CODE_STORE, "the pipeline store is not available"}};
	char known[CODE_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		code_text(codes[i].code, known);
		if (strcmp(known, text) == 0)
			return codes[i].meaning;
	}
	return NULL;
}
