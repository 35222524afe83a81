#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/page-parts.h"
#include "base/str.h"

#define OPEN "\xe2\x9f\xa8"  /* U+27E8 */
#define CLOSE "\xe2\x9f\xa9" /* U+27E9 */

void page_text_visible(struct str *out, const char *text)
{
	size_t len = strlen(text), n;
	unsigned long c;

	for (; len > 0; text += n, len -= n) {
		n = str_utf8(text, len, &c);
		if (n == 0) {
			n = 1;
			str_addf(out, OPEN "0x%02X" CLOSE, (unsigned)(unsigned char)*text);
		} else if (str_is_visible(c)) {
			str_addn(out, text, n);
		} else {
			str_addf(out, OPEN "U+%04lX" CLOSE, c);
		}
	}
}

void page_text_html(FILE *out, const char *text)
{
	size_t n;

	for (text = text != NULL ? text : ""; *text != '\0'; text += n) {
		n = strcspn(text, "<>&\"'");
		(void)fwrite(text, 1, n, out); /* page_write looks at OUT in the end */
		switch (text[n]) {
		case '\0':
			return;
		case '<':
			(void)fputs("&lt;", out);
			break;
		case '>':
			(void)fputs("&gt;", out);
			break;
		case '&':
			(void)fputs("&amp;", out);
			break;
		case '"':
			(void)fputs("&quot;", out);
			break;
		default:
			(void)fputs("&#39;", out);
		}
		n++;
	}
}

/* Length of the start of TEXT that JSON and HTML take as it is. */
static size_t plain(const char *text)
{
	size_t n = 0;

	while ((unsigned char)text[n] >= 0x20 && strchr("\"\\<>&\x7f\xe2", text[n]) == NULL)
		n++;
	return n;
}

/* "<" ends script elements and begins comments in them; U+2028 and U+2029 end lines of scripts. */
void page_text_json(FILE *out, const char *text)
{
	size_t n;

	(void)fputc('"', out);
	for (; *text != '\0'; text += n) {
		n = plain(text);
		(void)fwrite(text, 1, n, out);
		if (text[n] == '\0')
			break;
		if (strncmp(text + n, "\xe2\x80\xa8", 3) == 0 ||
			strncmp(text + n, "\xe2\x80\xa9", 3) == 0) {
			(void)fprintf(out, "\\u202%c", text[n + 2] == '\xa8' ? '8' : '9');
			n += 2;
		} else if (text[n] == '"' || text[n] == '\\') {
			(void)fputc('\\', out);
			(void)fputc(text[n], out);
		} else if (text[n] == '\xe2') {
			(void)fwrite(text + n, 1, 1, out);
		} else {
			(void)fprintf(out, "\\u%04x", (unsigned)(unsigned char)text[n]);
		}
		n++;
	}
	(void)fputc('"', out);
}

void page_text_safe(FILE *out, const char *text)
{
	struct str s;

	str_init(&s);
	page_text_visible(&s, text != NULL ? text : "");
	page_text_html(out, s.buf);
	str_clear(&s);
}

void page_text_number(FILE *out, int64_t n)
{
	char digits[24];
	size_t len;

	(void)snprintf(digits, sizeof(digits), "%" PRId64, n);
	len = strlen(digits);
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
			(void)fputc(',', out);
		(void)fputc(digits[i], out);
	}
}

void page_text_time(FILE *out, int64_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(when, text);
	(void)fprintf(out, "%.10s %.8s", text, text + 11);
}

void page_text_minute(FILE *out, int64_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(when, text);
	(void)fprintf(out, "%.10s %.5s", text, text + 11);
}

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

void page_text_hash(const char *text, char out[PAGE_TEXT_HASH_SIZE])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char hex[SHA256_HEX_SIZE];

	sha256_of(text, strlen(text), hex);
	/* Three digits of base 16 are two of base 64; the last of 64 stands alone. */
	for (size_t i = 0; i < 21; i++) {
		unsigned bits = hex_digit(hex[3 * i]) << 8 | hex_digit(hex[3 * i + 1]) << 4 |
				hex_digit(hex[3 * i + 2]);

		out[2 * i] = digits[bits >> 6];
		out[2 * i + 1] = digits[bits & 63];
	}
	out[42] = digits[hex_digit(hex[63]) << 2];
	out[43] = '=';
	out[44] = '\0';
}
