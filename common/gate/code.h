/* The codes of contract section 3: what a gate rejects, and what it cannot tell. */
#ifndef MODELGATE_GATE_CODE_H
#define MODELGATE_GATE_CODE_H

/* In the order of their numbers: of several the lowest is told. */
enum code {
	CODE_NONE = 0,
	CODE_REWRITE = 101,
	CODE_DIRECT = 102,
	CODE_SOURCE = 103,
	CODE_OCTOPUS = 104,
	CODE_CONTENT = 105,
	CODE_METHOD = 106,
	CODE_DELETE = 107,
	CODE_CREATE = 108,
	CODE_RETRAIN_NAME = 201,
	CODE_RETRAIN_DATE = 202,
	CODE_RETRAIN_PIPELINE = 203,
	CODE_RETRAIN_MOVED = 204,
	CODE_LOOKALIKE = 205,
	CODE_RETRAIN_ORIGIN = 206,
	CODE_RETRAIN_PATH = 207,
	CODE_REQUIRED_FILE = 301,
	CODE_MODEL_MISSING = 302,
	CODE_MODEL_POINTER = 303,
	CODE_FORBIDDEN_FILE = 304,
	CODE_ROLE = 401,
	CODE_OVERRIDE = 402,
	CODE_CONFIG = 901,
	CODE_REPOSITORY = 902,
	CODE_AUDIT = 903,
	CODE_INPUT = 904,
	CODE_STORE = 905
};

#define CODE_TEXT_SIZE 6 /* "MG102" and its NUL */

void code_text(enum code c, char out[CODE_TEXT_SIZE]);
/* What TEXT, such as "MG102", rejects, in a few words; NULL: it is no code. */
const char *code_meaning(const char *text);

#endif
