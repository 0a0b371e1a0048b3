package planar

// #include "planar.h"
import "C"

import (
	"slices"
	"sync"
)

// geometry is all that a graph depends on.
type geometry struct{ x, y stretch }

// graph is what zimg has computed in advance of a geometry, mostly sines: that takes 1 or 2 ms, often longer than using it
// does. Several goroutines may use one at once.
type graph struct {
	geometry geometry
	c        *C.Graph
	users    int // the cache is one of them while it has it
}

// graphCache keeps some graphs, for uploads mostly have the dimensions that others had.
type graphCache struct {
	mutex sync.Mutex
	kept  []*graph // the one used last at the end
}

// mostGraphs is how many are kept: those of three sizes, luma and chroma, of five kinds of pictures. Each has some 100 KB.
const mostGraphs = 30

// longestKept is the side of a picture whose graph is kept, in samples: a graph is as large as its sides are long, 7 MB for
// 60,000, and pictures of such sides are rare.
const longestKept = 8192

var graphs graphCache

// get returns the graph for g. Give it back.
func (c *graphCache) get(g geometry) (*graph, error) {
	if found := c.find(g); found != nil {
		return found, nil
	}
	made := &graph{geometry: g, users: 1, c: C.planar_new_graph(C.int(g.x.from), C.int(g.y.from),
		C.double(g.x.start), C.double(g.y.start), C.double(g.x.length), C.double(g.y.length), C.int(g.x.to), C.int(g.y.to))}
	if made.c == nil {
		return nil, ErrMemory
	}
	if max(g.x.from, g.x.to, g.y.from, g.y.to) <= longestKept {
		c.keep(made)
	}
	return made, nil
}

func (c *graphCache) find(g geometry) *graph {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	i := slices.IndexFunc(c.kept, func(kept *graph) bool { return kept.geometry == g })
	if i < 0 {
		return nil
	}
	found := c.kept[i]
	found.users++
	c.kept = append(slices.Delete(c.kept, i, i+1), found)
	return found
}

// keep adds a graph, though another goroutine may have made the same meanwhile, in the place of the one that was not used
// for longest.
func (c *graphCache) keep(made *graph) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(c.kept) == mostGraphs {
		c.kept[0].release()
		c.kept = slices.Delete(c.kept, 0, 1)
	}
	made.users++
	c.kept = append(c.kept, made)
}

func (c *graphCache) put(g *graph) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	g.release()
}

func (g *graph) release() {
	if g.users--; g.users == 0 {
		C.planar_free_graph(g.c)
	}
}
