/* export_dot.c - the tree of processes as a graph for Graphviz: an edge from parent to child. */
#include <inttypes.h>
#include <stdio.h>

#include "query/export.h"

enum { LABEL_MAX_BYTES = 80 };

/* Lines were escaped for text: what is left to be escaped is what DOT gives a meaning to. */
static void put_label(struct sink *sink, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '"' || text[i] == '\\')
			sink_char(sink, '\\');
		sink_char(sink, text[i]);
	}
}

/* At most so many bytes, whole characters. */
static size_t label_bytes(const struct line *line)
{
	size_t bytes = line->bytes;

	if (bytes <= LABEL_MAX_BYTES)
		return bytes;
	bytes = LABEL_MAX_BYTES;
	while (bytes > 0 && ((unsigned char)line->text[bytes] & 0xc0) == 0x80)
		bytes--;
	return bytes;
}

static void put_life(struct export *export, const struct past_life *life)
{
	struct sink *sink = &export->sink;
	char text[64], end[LIFE_WORD_BYTES];

	(void)snprintf(text, sizeof(text), "\t\"%" PRId64 "\" [label=\"", life->id);
	sink_words(sink, text);
	line_clear(&export->line);
	life_command(&export->line, life);
	put_label(sink, export->line.text, label_bytes(&export->line));
	life_end_word(life, end);
	(void)snprintf(text, sizeof(text), "\\n%" PRIu32 ", %s\"", life->pid, end);
	sink_words(sink, text);
	if (!life->in_window)
		sink_words(sink, " color=gray fontcolor=gray");
	else if (life->ended && life->end_how == LIFE_END_EXIT && life->exit_code != 0)
		sink_words(sink, " color=red");
	sink_words(sink, "]\n");
	if (!life->parent)
		return;
	(void)snprintf(text, sizeof(text), "\t\"%" PRId64 "\" -> \"%" PRId64 "\"\n",
		       life->parent->id, life->id);
	sink_words(sink, text);
}

static int dot_begin(struct export *export)
{
	sink_words(&export->sink, "digraph procledger {\n\trankdir=LR\n\tnode [shape=box]\n");
	return line_init(&export->line);
}

static int dot_lives(struct export *export, const struct window_boot *boot, const struct past *past)
{
	(void)boot;
	for (struct past_life *life = past_walk(past, NULL); life; life = past_walk(past, life)) {
		put_life(export, life);
		sink_row_end(&export->sink);
		export->found++;
	}
	return export->sink.error;
}

static int dot_end(struct export *export)
{
	sink_words(&export->sink, "}\n");
	return 0;
}

const struct export_format export_dot = {
	.name = "dot",
	.begin = dot_begin,
	.lives = dot_lives,
	.end = dot_end,
};
