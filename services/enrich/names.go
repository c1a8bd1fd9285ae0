package enrich

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/blipstream/blipstream/internal/bus"
	"github.com/blipstream/blipstream/internal/decode"
	"github.com/blipstream/blipstream/internal/feed"
	"github.com/blipstream/blipstream/services/enrich/profiles"
)

// noProfiles is the setting by which nobody is asked for names.
const noProfiles = "off"

// names gives the posts of Bluesky the names of their authors, before the
// hydrators read them. Other posts are none of its business.
type names struct {
	book *profiles.Book // nil: nobody is asked
	// real says that the service knows real people only.
	real bool
}

// newNames makes the names of the setting bluesky-profiles, for which a post
// waits so long. It connects to nobody.
func newNames(address string, wait time.Duration, conn *bus.Conn, log *slog.Logger, count profiles.Counter) (*names, error) {
	if address == noProfiles || address == "" {
		return &names{}, nil
	}
	view, err := profiles.NewAppView(address)
	if err != nil {
		return nil, fmt.Errorf("enrich: read settings: bluesky-profiles: %w", err)
	}
	book := profiles.New(profiles.Options{Fetch: view, Shelf: profiles.Bucket{Bus: conn}, Count: count, Log: log, Wait: wait})
	return &names{book: book, real: address == profiles.Public}, nil
}

// run looks names up until ctx ends. When the group is done nobody waits any more.
func (n *names) run(ctx context.Context) *sync.WaitGroup {
	var running sync.WaitGroup
	if n.book != nil {
		n.book.Start()
		running.Go(func() { n.book.Run(ctx) })
	}
	return &running
}

// concerns reports whether an author is to be looked up.
func (n *names) concerns(rec *feed.Record) bool {
	return n.book != nil && rec.Format == feed.FormatBluesky && (!n.real || !rec.Simulated)
}

// ask reports whether goOn will be called, when the author's name is known or
// has been waited for long enough; else the post is to go on at once. What an
// event tells of a name is learnt.
func (n *names) ask(rec *feed.Record, goOn func()) bool {
	if !n.concerns(rec) {
		return false
	}
	author := rec.Upstream.Author
	switch {
	case rec.Change == feed.ChangeNotice && (rec.Notice == decode.NoticeIdentity || rec.Notice == decode.NoticeProfile):
		n.book.Learn(author.ID, author.Username, author.Name)
		return false
	case rec.Change != feed.ChangePost:
		return false
	}
	if _, known := n.book.Look(author.ID); known {
		return false
	}
	return n.book.Await(author.ID, goOn)
}

// recall has fill know what other replicas have learnt, where nobody is asked.
func (n *names) recall(ctx context.Context, rec *feed.Record) {
	if n.concerns(rec) && rec.Change == feed.ChangePost {
		n.book.Recall(ctx, rec.Upstream.Author.ID)
	}
}

// fill sets the author's names, as far as they are known. A post whose author
// nobody knows keeps the short form of the DID.
func (n *names) fill(rec *feed.Record) {
	if !n.concerns(rec) || rec.Change != feed.ChangePost {
		return
	}
	if p, known := n.book.Look(rec.Upstream.Author.ID); known && p.Handle != "" {
		rec.Upstream.Author.Username, rec.Upstream.Author.Name = p.Handle, p.Name
	}
}
