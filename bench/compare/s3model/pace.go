package s3model

import (
	"net"
	"time"
)

const (
	piece = 16 << 10             // bytes written at once: a fifth of a millisecond at 75 MB/s
	slack = 5 * time.Millisecond // by how much a connection may be late and catch up, since a sleep is rarely exact
)

type pacedListener struct {
	net.Listener
	bytesPerSecond float64
}

func (l pacedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil || l.bytesPerSecond == 0 {
		return conn, err
	}
	return &pacedConn{Conn: conn, in: pace{rate: l.bytesPerSecond}, out: pace{rate: l.bytesPerSecond}}, nil
}

// pacedConn lets so many bytes a second through, each way. Each way has one user at a time, as net/http's connections
// do.
type pacedConn struct {
	net.Conn
	in, out pace
}

func (c *pacedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.in.took(n)
	return n, err
}

func (c *pacedConn) Write(p []byte) (written int, err error) {
	for len(p) > 0 && err == nil {
		var n int
		n, err = c.Conn.Write(p[:min(len(p), piece)])
		c.out.took(n)
		p, written = p[n:], written+n
	}
	return written, err
}

// pace is a schedule: when what has passed so far should have passed.
type pace struct {
	rate float64 // bytes a second
	due  time.Time
}

// took returns when n more bytes should have passed.
func (p *pace) took(n int) {
	if n <= 0 {
		return
	}
	if earliest := time.Now().Add(-slack); p.due.Before(earliest) {
		p.due = time.Now() // it was idle; what it did not carry then is lost
	}
	p.due = p.due.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	time.Sleep(time.Until(p.due))
}
