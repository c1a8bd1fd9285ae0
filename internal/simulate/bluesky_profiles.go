package simulate

import (
	"encoding/json"
	"net/http"
	"strings"
)

// maxActors is how many profiles may be asked for at once, as the real service
// has it.
const maxActors = 25

// skyProfile is what the service tells of somebody.
type skyProfile struct {
	DID         string `json:"did"`
	Handle      string `json:"handle"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
}

// profiles serves app.bsky.actor.getProfiles for the people of the world;
// nobody else is there.
func (s *Bluesky) profiles(w http.ResponseWriter, r *http.Request) {
	actors := r.URL.Query()["actors"]
	if len(actors) == 0 || len(actors) > maxActors {
		s.refuse(w, http.StatusBadRequest, "InvalidRequest", "actors must have 1 to 25 elements")
		return
	}
	s.mu.Lock()
	s.stats.Profiles++
	s.mu.Unlock()
	found := []skyProfile{}
	for _, did := range actors {
		if p, ok := s.o.World.profile(did); ok {
			found = append(found, p)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"profiles": found}) // the client may be gone
}

// profile finds somebody by the identifier that author.did has made.
func (w *World) profile(did string) (skyProfile, bool) {
	name, isOurs := strings.CutPrefix(did, didPrefix)
	name, complete := strings.CutSuffix(name, didTail)
	id, isNumber := number(name)
	if !isOurs || !complete || !isNumber || id < firstUserID || (id-firstUserID)%authorStep != 0 {
		return skyProfile{}, false
	}
	key := (id - firstUserID) / authorStep
	cities := w.atlas.Cities()
	if key/maxAuthors >= uint64(len(cities)) {
		return skyProfile{}, false
	}
	city := cities[key/maxAuthors]
	a := w.authorOf(city, int(key%maxAuthors))
	return skyProfile{
		DID: did, Handle: a.handle(), DisplayName: a.name,
		Description: "An invented person who lives in a simulator near " + city.Name + ".",
	}, true
}
