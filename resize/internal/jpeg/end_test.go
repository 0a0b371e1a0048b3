package jpeg

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestBytesOfOnesAreCountedWhereverReadsEnd(t *testing.T) {
	const header = "\xff\xd8\xff\x00\xff\x00\xff\x00\xff\x00\xff\xda\x00\x02"
	for data, want := range map[string]bool{
		"\xff\x00\xff\x00\xff\x00\xff\x00":                  true,
		"a\xff\x00\xff\x00\xff\x00\xff\x00b":                true,
		"\xff\x00\xff\x00b\xff\x00\xff\x00\xff\x00":         false,
		"\xff\x00\xff\x00\xff\x00b\xff\x00\xff\x00\xff\x00": false,
		"\xff\x00\xff\x00\xff\xd0\xff\x00\xff\x00":          false,
		"\xff\xff\x00\xff\x00\xff\x00":                      false,
		"no ones":                                           false,
	} {
		file := header + data + "\xff\xd9"
		for length := 1; length <= len(file); length++ {
			e := NewEnd(strings.NewReader(file), len(header), 1)
			p := make([]byte, length)
			for !e.found {
				if _, err := e.Read(p); err != nil {
					t.Fatal(err)
				}
			}
			if e.Senseless != want {
				t.Errorf("%q, reads of %d: %v", data, length, e.Senseless)
			}
		}
	}
}

// The first end marker may be that of a thumbnail, and the right one may be split between two reads.
func TestTheEndOfAJPEGIsFoundWhereverReadsEnd(t *testing.T) {
	file := []byte("\xff\xd8\xff\xe1\x00\x08\xff\xd8\xff\xd9\x00\x00\xff\xda\x00\x02data\xff\xd9tail")
	end := bytes.LastIndex(file, EndOfImage)
	for length := 1; length <= len(file); length++ {
		e := NewEnd(bytes.NewReader(file), bytes.Index(file, []byte("data")), 1)
		read, p := 0, make([]byte, length)
		for read < len(file) {
			reachedBefore := e.Reached
			n, err := e.Read(p)
			if err != nil || n == 0 || !bytes.Equal(p[:n], file[read:read+n]) {
				t.Fatalf("reads of %d: %d bytes, %v at %d", length, n, err, read)
			}
			if e.Reached && !reachedBefore && read < end-1 {
				t.Errorf("reads of %d: the end is reached at %d, before %d", length, read, end-1)
			}
			read += n
		}
		if !e.Reached {
			t.Errorf("reads of %d: the end is never reached", length)
		}
		if _, err := e.Read(p); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	}
}

// Scans are counted behind the header alone, in which there may be a thumbnail's.
func TestScansAreCountedWhereverReadsEnd(t *testing.T) {
	const header = "\xff\xd8\xff\xda\xff\xda\xff\xda\x00\x02"
	file := header + "a\xff\xda\x00\x02b\xff\x00\xda\xff\xda\x00\x02c\xff\xd9"
	for most, want := range map[int]bool{2: true, 3: false} {
		for length := 1; length <= len(file); length++ {
			e := NewEnd(strings.NewReader(file), len(header), most)
			for p, err := make([]byte, length), error(nil); err == nil; {
				_, err = e.Read(p)
			}
			if e.TooMany != want || e.Reached == want {
				t.Errorf("%d at most, reads of %d: %v, end reached %v", most, length, e.TooMany, e.Reached)
			}
		}
	}
}
