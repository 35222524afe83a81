#include "gate/code.h"

#include <stdio.h>

void code_text(enum code c, char out[CODE_TEXT_SIZE])
{
	(void)snprintf(out, CODE_TEXT_SIZE, "MG%03u", (unsigned)c % 1000);
}
