// SPDX-License-Identifier: GPL-2.0
/* When a frontend hands its CPU over: what events and attempts have shown. */
#include "handover.h"

#include <linux/export.h>

void handover_note_event(struct handover *h, unsigned int depth)
{
	if (!depth)
		return;
	if (depth != h->depth) {
		h->depth = depth;
		h->agreed = 0;
		h->left = 0;
	} else if (h->agreed < HANDOVER_AGREED) {
		h->agreed++;
	}
	if (h->skip)
		h->skip--;
	else if (h->agreed == HANDOVER_AGREED)
		h->left = HANDOVER_SERIES;
}
EXPORT_SYMBOL_NS_GPL(handover_note_event, XSPLIT);

void handover_end(struct handover *h, bool answered)
{
	if (answered) {
		/* One success says little: some requests may always be quick. */
		if (!h->left)
			h->pause = 0;
		return;
	}
	h->left = 0;
	if (!h->pause)
		h->pause = HANDOVER_PAUSE;
	else if (h->pause < HANDOVER_MAX_PAUSE)
		h->pause *= 2;
	h->skip = h->pause;
}
EXPORT_SYMBOL_NS_GPL(handover_end, XSPLIT);
