#define _GNU_SOURCE /* timegm */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/page-parts.h"
#include "base/mem.h"

#define HOUR (3600 * CLOCK_SECOND)
#define DAY (24 * HOUR)
#define MAX_YEAR 9999

/* Places in the drawing, in its own units. */
#define WIDTH 1200
#define LEFT 44
#define RIGHT 12
#define PUSHES_TOP 14
#define PUSHES_HEIGHT 150
#define DEPLOYED_TOP 200
#define DEPLOYED_HEIGHT 60
#define BOTTOM (DEPLOYED_TOP + DEPLOYED_HEIGHT)
#define HEIGHT (BOTTOM + 30)
#define LABEL 66 /* the longest under the axis */

/* --- the scale --- */

static struct tm split(int64_t when)
{
	time_t seconds = (time_t)(when / CLOCK_SECOND);
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (when > 0)
		(void)gmtime_r(&seconds, &tm); /* fails only beyond what int can say of years */
	else
		tm.tm_year = 70, tm.tm_mday = 1, tm.tm_wday = 4;
	return tm;
}

static int64_t join(struct tm *tm)
{
	return (int64_t)timegm(tm) * CLOCK_SECOND;
}

/* The start of the bucket that WHEN lies in, moved by BUCKETS. */
static int64_t start_of(const struct page_scale *s, int64_t when, int buckets)
{
	struct tm tm = split(when);

	tm.tm_sec = tm.tm_min = 0;
	if (s->unit == PAGE_HOUR) {
		tm.tm_hour += buckets;
		return join(&tm);
	}
	tm.tm_hour = 0;
	switch (s->unit) {
	case PAGE_HOUR:
	case PAGE_DAY:
		tm.tm_mday += buckets;
		break;
	case PAGE_WEEK: /* from Monday, as ISO 8601 has it */
		tm.tm_mday += 7 * buckets - (tm.tm_wday + 6) % 7;
		break;
	case PAGE_MONTH:
		tm.tm_mday = 1;
		tm.tm_mon += buckets;
		break;
	case PAGE_YEAR:
		tm.tm_mday = 1;
		tm.tm_mon = 0;
		tm.tm_year += 1900;
		tm.tm_year = tm.tm_year - tm.tm_year % s->step + buckets * s->step - 1900;
		break;
	}
	return join(&tm);
}

/* How many years a bucket has, so that all between FIRST and LAST fit. */
static int years(int64_t first, int64_t last)
{
	int span = split(last).tm_year - split(first).tm_year + 2, step = 1;

	for (int i = 0; span / step > PAGE_MAX_BUCKETS / 2; i++)
		step = i % 3 == 0 ? step * 2 : i % 3 == 1 ? step / 2 * 5 : step * 2;
	return step;
}

void page_scale_fit(struct page_scale *s, int64_t first, int64_t last)
{
	int64_t span = last - first, from;

	s->unit = span <= 3 * DAY          ? PAGE_HOUR
		  : span <= 120 * DAY      ? PAGE_DAY
		  : span <= 2 * 366 * DAY  ? PAGE_WEEK
		  : span <= 12 * 366 * DAY ? PAGE_MONTH
					   : PAGE_YEAR;
	s->step = s->unit == PAGE_YEAR ? years(first, last) : 1;
	from = start_of(s, first, 0);
	/* A few bars alone say nothing of what was before: there was nothing. */
	if (start_of(s, from, PAGE_MIN_BUCKETS) > last)
		from = start_of(s, last, 1 - PAGE_MIN_BUCKETS);
	if (from < 0)
		from = start_of(s, 0, 0);
	s->start[0] = from;
	for (s->n = 0; s->n < PAGE_MAX_BUCKETS;) {
		s->start[s->n + 1] = start_of(s, s->start[s->n], 1);
		s->n++;
		if (s->start[s->n] > last && s->n >= PAGE_MIN_BUCKETS)
			break;
	}
}

int page_scale_find(const struct page_scale *s, int64_t when)
{
	int low = 0, high = s->n - 1, middle;

	while (low < high) {
		middle = (low + high + 1) / 2;
		if (s->start[middle] <= when)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

/* --- what is in it --- */

struct chart {
	struct page_scale scale;
	int64_t counts[PAGE_MAX_BUCKETS][PAGE_KINDS];
	int64_t most_pushes, most_deployed; /* in one bucket */
};

static int64_t pushes_of(const int64_t *counts)
{
	return counts[PAGE_ACCEPTED] + counts[PAGE_REJECTED] + counts[PAGE_OVERRIDDEN] +
	       counts[PAGE_SHADOWED];
}

/* 0: nothing is to be drawn. */
static int fill(struct chart *c, const struct page_data *d)
{
	int64_t first = INT64_MAX, last = INT64_MIN;

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < d->n_rows; i++) {
		first = d->rows[i].time < first ? d->rows[i].time : first;
		last = d->rows[i].time > last ? d->rows[i].time : last;
	}
	if (d->n_rows == 0)
		return 0;
	page_scale_fit(&c->scale, first, last);
	for (size_t i = 0; i < d->n_rows; i++)
		c->counts[page_scale_find(&c->scale, d->rows[i].time)][d->rows[i].kind]++;
	for (int i = 0; i < c->scale.n; i++) {
		int64_t pushes = pushes_of(c->counts[i]), deployed = c->counts[i][PAGE_DEPLOYED];

		c->most_pushes = pushes > c->most_pushes ? pushes : c->most_pushes;
		c->most_deployed = deployed > c->most_deployed ? deployed : c->most_deployed;
	}
	return 1;
}

/* What a bucket is called in full: "2026-11-23 20:00", "2026-11-23", "Week of ...", "2026-11". */
static void write_name(const struct page_scale *s, int bucket, FILE *out)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(s->start[bucket], text);
	switch (s->unit) {
	case PAGE_HOUR:
		(void)fprintf(out, "%.10s %.5s", text, text + 11);
		break;
	case PAGE_DAY:
		(void)fprintf(out, "%.10s", text);
		break;
	case PAGE_WEEK:
		(void)fprintf(out, "week of %.10s", text);
		break;
	case PAGE_MONTH:
		(void)fprintf(out, "%.7s", text);
		break;
	case PAGE_YEAR:
		(void)fprintf(out, "%.4s", text);
		if (s->step > 1)
			(void)fprintf(out, " and %d more years", s->step - 1);
		break;
	}
}

static const char *unit_words(const struct page_scale *s)
{
	static const char *const words[] = {[PAGE_HOUR] = "hour",
		[PAGE_DAY] = "day",
		[PAGE_WEEK] = "week",
		[PAGE_MONTH] = "month",
		[PAGE_YEAR] = "year"};

	return s->step > 1 ? "some years" : words[s->unit];
}

/* --- the drawing --- */

static double x_of(const struct page_scale *s, int bucket)
{
	return LEFT + (double)(WIDTH - LEFT - RIGHT) * bucket / s->n;
}

/* The least of 1, 2, 5, 10, 20, 50 ... that is not below N. */
static int64_t round_up(int64_t n)
{
	static const int64_t steps[] = {1, 2, 5};

	for (int64_t ten = 1; ten <= INT64_MAX / 10; ten *= 10)
		for (size_t i = 0; i < 3; i++)
			if (steps[i] * ten >= n)
				return steps[i] * ten;
	return n;
}

/* How much there is from line to line where bars stand for up to MOST. */
static int64_t step_of(int64_t most)
{
	return round_up((most + 3) / 4);
}

/* What the highest line stands for: MOST, but at least LEAST, and a whole number of steps. */
static int64_t height_of(int64_t most, int64_t least)
{
	int64_t step;

	most = most > least ? most : least;
	step = step_of(most);
	return (most + step - 1) / step * step;
}

/* Lines and numbers of a part of the drawing whose bars stand for up to MOST. */
static void write_grid(FILE *out, int top, int height, int64_t most, const char *title)
{
	int64_t step = step_of(most);

	(void)fprintf(
		out, "<text class=\"panel\" x=\"%d\" y=\"%d\">%s</text>\n", LEFT, top - 4, title);
	for (int64_t n = 0; n <= most; n += step) {
		double y = top + height - (double)height * (double)n / (double)most;

		(void)fprintf(out, "<path class=\"%s\" d=\"M%d %.1fH%d\"/>",
			n == 0 ? "axis" : "grid", LEFT, y, WIDTH - RIGHT);
		(void)fprintf(out, "<text class=\"y\" x=\"%d\" y=\"%.1f\">", LEFT - 6, y + 4);
		page_text_number(out, n);
		(void)fputs("</text>\n", out);
	}
}

/* A bar of N on top of those of BELOW. */
static void write_bar(
	FILE *out, const char *class, double x, double width, double base, double unit, int64_t n)
{
	double height = unit * (double)n;

	if (n == 0)
		return;
	height = height < 1.5 ? 1.5 : height;
	(void)fprintf(out,
		"<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>", class,
		x, base - height, width, height);
}

static void write_bucket(const struct chart *c, int i, int64_t pushes, int64_t deployed, FILE *out)
{
	const int64_t *n = c->counts[i];
	int64_t overridden = n[PAGE_OVERRIDDEN] + n[PAGE_SHADOWED];
	double wide = x_of(&c->scale, i + 1) - x_of(&c->scale, i), width = wide * 0.76,
	       x = x_of(&c->scale, i) + (wide - width) / 2, base = PUSHES_TOP + PUSHES_HEIGHT,
	       unit = (double)PUSHES_HEIGHT / (double)pushes;

	if (pushes_of(n) + n[PAGE_DEPLOYED] == 0)
		return;
	(void)fputs("<g><title>", out);
	write_name(&c->scale, i, out);
	(void)fprintf(out,
		": %" PRId64 " accepted, %" PRId64 " rejected, %" PRId64
		" overridden or shadowed, %" PRId64 " deployed</title>",
		n[PAGE_ACCEPTED], n[PAGE_REJECTED], overridden, n[PAGE_DEPLOYED]);
	write_bar(out, "accepted", x, width, base, unit, n[PAGE_ACCEPTED]);
	base -= unit * (double)n[PAGE_ACCEPTED];
	write_bar(out, "overridden", x, width, base, unit, overridden);
	base -= unit * (double)overridden;
	write_bar(out, "rejected", x, width, base, unit, n[PAGE_REJECTED]);
	write_bar(out, "deployed", x, width, BOTTOM, (double)DEPLOYED_HEIGHT / (double)deployed,
		n[PAGE_DEPLOYED]);
	(void)fputs("</g>\n", out);
}

/* The words under bucket I: as short as the axis as a whole allows. */
static void write_label(const struct page_scale *s, int i, FILE *out)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(s->start[i], text);
	if (s->unit == PAGE_HOUR)
		(void)fprintf(out, "%.5s %.5s", text + 5, text + 11);
	else if (s->unit == PAGE_MONTH)
		(void)fprintf(out, "%.7s", text);
	else if (s->unit == PAGE_YEAR)
		(void)fprintf(out, "%.4s", text);
	else
		(void)fprintf(out, "%.10s", text);
}

static void write_labels(const struct page_scale *s, FILE *out)
{
	static const int steps[] = {1, 2, 3, 4, 6, 12, 24};
	size_t step = 0;
	int every;

	while (s->n > 12 * steps[step])
		step++;
	every = steps[step];
	for (int i = 0; i < s->n; i += every) {
		double x = x_of(s, i);

		if (x > WIDTH - RIGHT - LABEL)
			break;
		(void)fprintf(out, "<path class=\"axis\" d=\"M%.1f %dv5\"/>", x, BOTTOM);
		(void)fprintf(out, "<text class=\"x\" x=\"%.1f\" y=\"%d\">", x, BOTTOM + 19);
		write_label(s, i, out);
		(void)fputs("</text>\n", out);
	}
}

static void write_description(const struct chart *c, const struct page_data *d, FILE *out)
{
	(void)fputs("<title id=\"timeline-title\">Pushes and deployments over time</title>\n"
		    "<desc id=\"timeline-desc\">Bars for each ",
		out);
	(void)fprintf(out, "%s, from ", unit_words(&c->scale));
	write_name(&c->scale, 0, out);
	(void)fputs(" to ", out);
	write_name(&c->scale, c->scale.n - 1, out);
	(void)fprintf(out,
		" (UTC). In all %" PRId64 " pushes accepted, %" PRId64 " rejected, %" PRId64
		" overridden or shadowed, and %" PRId64
		" deployments. The same numbers stand in the table below it.</desc>\n",
		d->counts[PAGE_ACCEPTED], d->counts[PAGE_REJECTED],
		d->counts[PAGE_OVERRIDDEN] + d->counts[PAGE_SHADOWED], d->counts[PAGE_DEPLOYED]);
}

/* Told apart by their patterns where there is no colour. */
static void write_patterns(FILE *out)
{
	(void)fputs(
		"<defs>"
		"<pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
		"patternTransform=\"rotate(45)\"><rect class=\"rejected-ground\" width=\"6\" "
		"height=\"6\"/><rect class=\"pattern\" width=\"1.6\" height=\"6\"/></pattern>"
		"<pattern id=\"dots\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
		"<rect class=\"overridden-ground\" width=\"5\" height=\"5\"/>"
		"<circle class=\"pattern\" cx=\"2.5\" cy=\"2.5\" r=\"1.1\"/></pattern>"
		"<pattern id=\"bars\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\">"
		"<rect class=\"deployed-ground\" width=\"4\" height=\"4\"/>"
		"<rect class=\"pattern\" width=\"4\" height=\"1.2\"/></pattern>"
		"</defs>\n",
		out);
}

static void write_legend(FILE *out)
{
	static const struct {
		const char *class;
		const char *words;
	} items[] = {{"accepted", "accepted"}, {"overridden", "overridden or shadowed"},
		{"rejected", "rejected"}, {"deployed", "deployed, promoted or rolled back"}};

	(void)fputs("<ul class=\"legend\">", out);
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		(void)fprintf(out,
			"<li><svg width=\"14\" height=\"14\" aria-hidden=\"true\"><rect "
			"class=\"%s\" "
			"width=\"14\" height=\"14\"/></svg> %s</li>",
			items[i].class, items[i].words);
	(void)fputs("</ul>\n", out);
}

static void write_drawing(const struct chart *c, const struct page_data *d, FILE *out)
{
	int64_t pushes = height_of(c->most_pushes, 4), deployed = height_of(c->most_deployed, 2);

	(void)fprintf(out,
		"<div class=\"chart\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline\">"
		"<svg class=\"timeline\" viewBox=\"0 0 %d %d\" role=\"img\" "
		"aria-labelledby=\"timeline-title timeline-desc\">\n",
		WIDTH, HEIGHT);
	write_description(c, d, out);
	write_patterns(out);
	write_grid(out, PUSHES_TOP, PUSHES_HEIGHT, pushes, "Pushes");
	write_grid(out, DEPLOYED_TOP, DEPLOYED_HEIGHT, deployed, "Deployments");
	for (int i = 0; i < c->scale.n; i++)
		write_bucket(c, i, pushes, deployed, out);
	write_labels(&c->scale, out);
	(void)fputs("</svg></div>\n", out);
}

/* --- the same in numbers --- */

static void write_table(const struct chart *c, FILE *out)
{
	static const enum page_kind kinds[] = {
		PAGE_ACCEPTED, PAGE_REJECTED, PAGE_OVERRIDDEN, PAGE_SHADOWED, PAGE_DEPLOYED};

	(void)fprintf(out,
		"<details><summary>The timeline as a table</summary>\n<div class=\"scroll\" "
		"tabindex=\"0\" role=\"region\" aria-label=\"The timeline as a table\"><table "
		"class=\"counts\"><caption>Pushes and deployments for each %s (UTC); where nothing "
		"happened there is no row</caption>\n<thead><tr><th scope=\"col\">From</th><th "
		"scope=\"col\">Accepted</th><th scope=\"col\">Rejected</th><th "
		"scope=\"col\">Overridden</th><th scope=\"col\">Shadowed</th><th "
		"scope=\"col\">Deployed</th></tr></thead>\n<tbody>\n",
		unit_words(&c->scale));
	for (int i = 0; i < c->scale.n; i++) {
		if (pushes_of(c->counts[i]) + c->counts[i][PAGE_DEPLOYED] == 0)
			continue;
		(void)fputs("<tr><th scope=\"row\">", out);
		write_name(&c->scale, i, out);
		(void)fputs("</th>", out);
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			(void)fputs("<td class=\"number\">", out);
			page_text_number(out, c->counts[i][kinds[k]]);
			(void)fputs("</td>", out);
		}
		(void)fputs("</tr>\n", out);
	}
	(void)fputs("</tbody></table></div></details>\n", out);
}

void page_timeline_write(const struct page_data *d, FILE *out)
{
	struct chart *c = mem_zalloc(1, sizeof(*c));

	if (fill(c, d)) {
		write_legend(out);
		write_drawing(c, d, out);
		write_table(c, out);
	} else {
		(void)fputs("<p>There is nothing to draw.</p>\n", out);
	}
	free(c);
}
