package isobmff

import (
	"bytes"
	"slices"
)

// Undecoded names how the pictures of a HEIF are coded, of whose bytes these are the first, if that is a way that no build of this
// program decodes. It returns "" if one of them is in HEVC or AV1, or if nothing is known. The types of items stand in their
// entries (ISO/IEC 14496-12, 8.11.6), which stand before the pixels.
func Undecoded(head []byte) string {
	names := map[string]string{"unci": "uncompressed pixels (unci)", "j2k1": "JPEG 2000 (j2k1)"}
	found := ""
	for entries := head; ; {
		_, entry, more := bytes.Cut(entries, []byte("infe"))
		if !more || len(entry) < 14 {
			return found
		}
		kind := string(entry[8:12]) // behind version, flags, item and protection
		if entry[0] == 3 {
			kind = string(entry[10:14]) // of an item with a longer number
		}
		if slices.Contains([]string{"hvc1", "av01"}, kind) {
			return ""
		}
		if found == "" {
			found = names[kind]
		}
		entries = entry
	}
}
