/* The log of the stage that this process runs: its standard output. */
#ifndef MODELGATE_STAGE_LOG_H
#define MODELGATE_STAGE_LOG_H

/* Write one line, at once, so that it stands before what a tool writes that is started next. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
