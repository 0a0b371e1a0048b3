package s3io_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"s3resizer/internal/devserver"
	"s3resizer/s3io"
)

// inMemory is a client on the embedded S3, over HTTP and connections without buffers: what the client does not read, the
// server has not written. All of it is on synctest's clock, which jumps ahead when everybody waits.
type inMemory struct {
	*s3io.Client
	// spoil stands before the S3, once per request; n counts them from 1.
	spoil     func(n int, s3 http.Handler) http.Handler
	requests  atomic.Int32
	dead      atomic.Int32 // how many of the next connections nobody serves
	dials     chan net.Conn
	closed    sync.Once
	transport *http.Transport
}

// Accept, Close and Addr make a net.Listener of it.
func (m *inMemory) Accept() (net.Conn, error) {
	conn, ok := <-m.dials
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (m *inMemory) Close() error {
	m.closed.Do(func() { close(m.dials) })
	return nil
}

func (m *inMemory) Addr() net.Addr { return &net.TCPAddr{} }

func (m *inMemory) ServeHTTP(w http.ResponseWriter, r *http.Request, s3 http.Handler) {
	if n := int(m.requests.Add(1)); m.spoil != nil {
		s3 = m.spoil(n, s3)
	}
	s3.ServeHTTP(w, r)
}

// onFakeTime runs test with the object "photos/k" of so many bytes.
func onFakeTime(t *testing.T, size int, test func(t *testing.T, m *inMemory, data []byte)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s3, err := devserver.New(devserver.Options{Buckets: []string{"photos"}})
		if err != nil {
			t.Fatal(err)
		}
		m := &inMemory{dials: make(chan net.Conn)}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.ServeHTTP(w, r, s3) })}
		served := make(chan error, 1)
		go func() { served <- server.Serve(m) }()
		m.transport = &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			if m.dead.Add(-1) < 0 {
				m.dials <- server
			}
			return client, nil
		}}
		cfg := devserver.ClientConfig("http://127.0.0.1", "us-east-1", "k", "s")
		cfg.HTTPClient = &http.Client{Transport: m.transport}
		m.Client = s3io.New(cfg, s3io.Options{})

		data := noise(size, 1)
		m.put(t, data, "")
		m.requests.Store(0)
		test(t, m, data)

		m.transport.CloseIdleConnections()
		server.Close()
		<-served
		if err := s3.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// put fails the test unless the class of the error is as wanted; it returns how long it took, and the error.
func (m *inMemory) put(t *testing.T, data []byte, want s3io.Class) (time.Duration, error) {
	t.Helper()
	begun := time.Now()
	_, err := m.Put(t.Context(), s3io.Upload{Bucket: "photos", Key: "k", ContentType: "image/jpeg", Data: data})
	wantClass(t, err, want)
	return time.Since(begun), err
}

// read is put's counterpart.
func (m *inMemory) read(t *testing.T, pause time.Duration, want s3io.Class) ([]byte, time.Duration, error) {
	t.Helper()
	begun := time.Now()
	o, err := m.Open(t.Context(), "photos", "k")
	if err != nil {
		wantClass(t, err, want)
		return nil, time.Since(begun), err
	}
	defer o.Close()
	var got bytes.Buffer
	for err == nil {
		_, err = io.CopyN(&got, o, 64<<10)
		time.Sleep(pause)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	wantClass(t, err, want)
	return got.Bytes(), time.Since(begun), err
}

// dripping writes an answer's body piece by piece.
type dripping struct {
	http.ResponseWriter
	piece int
	every time.Duration
}

func (d *dripping) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil {
		_ = http.NewResponseController(d.ResponseWriter).Flush() // the header, or the piece before
		time.Sleep(d.every)
		var n int
		n, err = d.ResponseWriter.Write(p[:min(d.piece, len(p))])
		p, written = p[n:], written+n
	}
	return written, err
}

func drip(s3 http.Handler, piece int, every time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s3.ServeHTTP(&dripping{w, piece, every}, r)
	})
}

// silent never answers, until the client hangs up.
var silent = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
})

func within(t *testing.T, took, from, to time.Duration) {
	t.Helper()
	if took < from || took > to {
		t.Errorf("took %v, want %v to %v", took, from, to)
	}
}

func TestABodyThatDrips(t *testing.T) {
	const size = 1 << 20
	t.Run("is taken up where it was", func(t *testing.T) {
		onFakeTime(t, size, func(t *testing.T, m *inMemory, data []byte) {
			m.spoil = func(n int, s3 http.Handler) http.Handler {
				if n == 1 {
					return drip(s3, 1000, time.Second/2)
				}
				return s3
			}
			got, took, _ := m.read(t, 0, "")
			if !bytes.Equal(got, data) || m.requests.Load() != 2 {
				t.Errorf("%d bytes of %d by %d requests", len(got), len(data), m.requests.Load())
			}
			within(t, took, 5*time.Second, 6*time.Second)
		})
	})
	t.Run("again and again ends in an error", func(t *testing.T) {
		for name, every := range map[string]time.Duration{"a piece in a while": 3 * time.Second, "pieces, but too few": time.Second} {
			t.Run(name, func(t *testing.T) {
				onFakeTime(t, size, func(t *testing.T, m *inMemory, _ []byte) {
					m.spoil = func(_ int, s3 http.Handler) http.Handler { return drip(s3, 15<<10, every) }
					_, took, err := m.read(t, 0, s3io.Transient)
					if err == nil || !strings.Contains(err.Error(), "less than 80 KiB in 5s of waiting") {
						t.Errorf("%v", err)
					}
					if n := m.requests.Load(); n != 5 {
						t.Errorf("%d requests, want 5", n)
					}
					within(t, took, 25*time.Second, 27*time.Second)
				})
			})
		}
	})
	t.Run("a byte before each stall is no progress", func(t *testing.T) {
		onFakeTime(t, size, func(t *testing.T, m *inMemory, _ []byte) {
			m.spoil = func(_ int, s3 http.Handler) http.Handler { return drip(s3, 1, 4999*time.Millisecond) }
			_, took, _ := m.read(t, 0, s3io.Transient)
			within(t, took, 25*time.Second, 27*time.Second)
		})
	})
	t.Run("but fast enough is read to its end", func(t *testing.T) {
		onFakeTime(t, size, func(t *testing.T, m *inMemory, data []byte) {
			m.spoil = func(_ int, s3 http.Handler) http.Handler { return drip(s3, 8<<10, 400*time.Millisecond) }
			got, took, _ := m.read(t, 0, "")
			if !bytes.Equal(got, data) || m.requests.Load() != 1 {
				t.Errorf("%d bytes of %d by %d requests", len(got), len(data), m.requests.Load())
			}
			within(t, took, 50*time.Second, time.Minute)
		})
	})
}

// A decoder that is busy lets the connection wait; that is not the connection's fault.
func TestASlowReaderIsNoSlowConnection(t *testing.T) {
	onFakeTime(t, 1<<20, func(t *testing.T, m *inMemory, data []byte) {
		got, took, _ := m.read(t, 20*time.Second, "")
		if !bytes.Equal(got, data) || m.requests.Load() != 1 {
			t.Errorf("%d bytes of %d by %d requests", len(got), len(data), m.requests.Load())
		}
		within(t, took, 5*time.Minute, 6*time.Minute)
	})
}

func TestARequestThatIsNotTaken(t *testing.T) {
	t.Run("once", func(t *testing.T) {
		onFakeTime(t, 300_000, func(t *testing.T, m *inMemory, data []byte) {
			m.deaf(1)
			took, _ := m.put(t, data, "")
			within(t, took, 10*time.Second, 13*time.Second)
		})
	})
	t.Run("ever", func(t *testing.T) {
		onFakeTime(t, 300_000, func(t *testing.T, m *inMemory, data []byte) {
			m.deaf(1000)
			took, err := m.put(t, data, s3io.Transient)
			if err == nil || !strings.Contains(err.Error(), "neither took the request's next bytes nor answered") {
				t.Errorf("%v", err)
			}
			within(t, took, 30*time.Second, 40*time.Second)
		})
	})
	t.Run("half-way", func(t *testing.T) {
		onFakeTime(t, 300_000, func(t *testing.T, m *inMemory, data []byte) {
			over := make(chan struct{})
			m.spoil = func(n int, s3 http.Handler) http.Handler {
				if n > 1 {
					return s3
				}
				return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.CopyN(io.Discard, r.Body, 150_000)
					<-over
				})
			}
			took, _ := m.put(t, data, "")
			within(t, took, 10*time.Second, 13*time.Second)
			close(over)
		})
	})
	t.Run("but slowly is", func(t *testing.T) {
		onFakeTime(t, 300_000, func(t *testing.T, m *inMemory, data []byte) {
			m.spoil = func(_ int, s3 http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.Body = slowly{r.Body}
					s3.ServeHTTP(w, r)
				})
			}
			took, _ := m.put(t, data, "")
			within(t, took, 20*time.Second, time.Hour)
			if m.requests.Load() != 1 {
				t.Errorf("%d requests", m.requests.Load())
			}
		})
	})
}

// slowly reads at most 8 KiB every second.
type slowly struct{ io.ReadCloser }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	return s.ReadCloser.Read(p[:min(len(p), 8<<10)])
}

// deaf makes the next n connections ones that nobody serves.
func (m *inMemory) deaf(n int32) {
	m.transport.CloseIdleConnections()
	m.dead.Store(n)
}

func TestAnAnswerThatDoesNotCome(t *testing.T) {
	once := func(n int, s3 http.Handler) http.Handler {
		if n == 1 {
			return silent
		}
		return s3
	}
	t.Run("once, to a read", func(t *testing.T) {
		onFakeTime(t, 1000, func(t *testing.T, m *inMemory, data []byte) {
			m.spoil = once
			got, took, _ := m.read(t, 0, "")
			if !bytes.Equal(got, data) {
				t.Errorf("%d bytes of %d", len(got), len(data))
			}
			within(t, took, 10*time.Second, 13*time.Second)
		})
	})
	t.Run("once, to a write", func(t *testing.T) {
		onFakeTime(t, 1000, func(t *testing.T, m *inMemory, data []byte) {
			m.spoil = once
			took, _ := m.put(t, data, "")
			within(t, took, 10*time.Second, 13*time.Second)
		})
	})
	t.Run("ever", func(t *testing.T) {
		onFakeTime(t, 1000, func(t *testing.T, m *inMemory, data []byte) {
			m.spoil = func(int, http.Handler) http.Handler { return silent }
			took, _ := m.put(t, data, s3io.Transient)
			within(t, took, 30*time.Second, 40*time.Second)
			_, took, _ = m.read(t, 0, s3io.Transient)
			within(t, took, 30*time.Second, 40*time.Second)
		})
	})
	t.Run("whole, though it is an error", func(t *testing.T) {
		onFakeTime(t, 1000, func(t *testing.T, m *inMemory, data []byte) {
			m.spoil = func(int, http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Length", "200")
					w.WriteHeader(http.StatusServiceUnavailable)
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
				})
			}
			took, _ := m.put(t, data, s3io.Transient)
			within(t, took, 15*time.Second, 30*time.Second)
		})
	})
	t.Run("after a while, and the transfer takes longer", func(t *testing.T) {
		onFakeTime(t, 1<<20, func(t *testing.T, m *inMemory, data []byte) {
			m.spoil = func(_ int, s3 http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(9 * time.Second)
					drip(s3, 32<<10, time.Second).ServeHTTP(w, r)
				})
			}
			got, took, _ := m.read(t, 0, "")
			if !bytes.Equal(got, data) || m.requests.Load() != 1 {
				t.Errorf("%d bytes of %d by %d requests", len(got), len(data), m.requests.Load())
			}
			within(t, took, 40*time.Second, 45*time.Second)
		})
	})
}
