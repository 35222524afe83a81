#include "base/md5.h"

#include <string.h>

/* floor(2^32 * |sin(i + 1)|), RFC 1321, section 3.4 */
static const uint32_t sines[64] = {0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf,
	0x4787c62a, 0xa8304613, 0xfd469501, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562, 0xc040b340, 0x265e5a51,
	0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6,
	0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942,
	0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8,
	0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92,
	0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82,
	0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

static const unsigned char shifts[4][4] = {
	{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static void compress(uint32_t state[4], const unsigned char block[64])
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];

	for (unsigned i = 0; i < 64; i++) {
		static const unsigned char factor[4] = {1, 5, 3, 7}, offset[4] = {0, 1, 5, 0};
		unsigned round = i / 16, word = (factor[round] * i + offset[round]) % 16;
		unsigned shift = shifts[round][i % 4];
		uint32_t m = (uint32_t)block[4 * word] | (uint32_t)block[4 * word + 1] << 8 |
			     (uint32_t)block[4 * word + 2] << 16 |
			     (uint32_t)block[4 * word + 3] << 24;
		uint32_t f = round == 0   ? (b & c) | (~b & d)
			     : round == 1 ? (b & d) | (c & ~d)
			     : round == 2 ? b ^ c ^ d
					  : c ^ (b | ~d);
		uint32_t sum = a + f + m + sines[i];

		a = d;
		d = c;
		c = b;
		b += sum << shift | sum >> (32 - shift);
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

void md5_init(struct md5 *h)
{
	static const uint32_t start[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

	memcpy(h->state, start, sizeof(start));
	h->length = 0;
}

void md5_add(struct md5 *h, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	size_t used = h->length % 64;

	h->length += len;
	while (len > 0) {
		size_t n = 64 - used < len ? 64 - used : len;

		memcpy(h->block + used, p, n);
		used += n;
		if (used == 64) {
			compress(h->state, h->block);
			used = 0;
		}
		p += n;
		len -= n;
	}
}

void md5_hex(struct md5 *h, char out[MD5_HEX_SIZE])
{
	static const unsigned char padding[64] = {0x80};
	static const char digits[] = "0123456789abcdef";
	unsigned char length[8];
	uint64_t bits = h->length * 8;
	size_t used = h->length % 64;

	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)(bits >> (8 * i));
	md5_add(h, padding, (used < 56 ? 56 : 120) - used);
	md5_add(h, length, sizeof(length));
	for (int i = 0; i < 16; i++) {
		unsigned byte = h->state[i / 4] >> (8 * (i % 4)) & 255;

		out[2 * i] = digits[byte >> 4];
		out[2 * i + 1] = digits[byte & 15];
	}
	out[32] = '\0';
}
