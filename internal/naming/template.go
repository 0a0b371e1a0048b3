package naming

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// BucketTemplate names the destination bucket: "{bucket}-resized".
type BucketTemplate string

// For returns the destination of the pictures of a source bucket.
func (t BucketTemplate) For(bucket string) string {
	return strings.ReplaceAll(string(t), "{bucket}", bucket)
}

// ParseBucket reads a template. Its error says what would be right.
func ParseBucket(value string) (BucketTemplate, error) {
	rest := strings.ReplaceAll(value, "{bucket}", "a")
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`).MatchString(rest) || value == "{bucket}" {
		return "", errors.New(`want a bucket's name, lower-case letters, digits, - and ., in which {bucket} stands for the source's, such as "{bucket}-resized"; source and destination must differ`)
	}
	return BucketTemplate(value), nil
}

// KeyTemplate names a rendition: "{size}-{key}", or with the parts of the key, "{dir}{name}-{size}{ext}". A template
// that could give two sources, two sizes or two formats a rendition of the same name is refused. What remains is a
// source that changes its format beside one that has its rendition's name: a.tif, which becomes a.tif.jpg, and a source
// a.tif.jpg.
type KeyTemplate struct{ tokens []string } // literals and {placeholders}, in order

const keyRight = `want {size} once, and either {key} once or {dir}, {name} and {ext} once each and in that order, such as "{size}-{key}" or "{dir}{name}-{size}{ext}"`

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// ParseKey reads a template. Its error says what would be right.
func ParseKey(value string) (KeyTemplate, error) {
	for part := range strings.SplitSeq(value, "/") {
		if part == "." || part == ".." {
			return KeyTemplate{}, errors.New(`want no "." or ".." between slashes: S3 has no folders to go up in`)
		}
	}
	var tokens []string
	end := 0
	for _, at := range placeholder.FindAllStringIndex(value, -1) {
		tokens = append(tokens, value[end:at[0]], value[at[0]:at[1]])
		end = at[1]
	}
	tokens = slices.DeleteFunc(append(tokens, value[end:]), func(token string) bool { return token == "" })
	var keys []string // the placeholders but {size}
	for _, token := range tokens {
		switch token {
		case "{key}", "{dir}", "{name}", "{ext}":
			keys = append(keys, token)
		case "{size}":
		default:
			if strings.ContainsAny(token, "{}") {
				return KeyTemplate{}, fmt.Errorf("%q is not a part of a key: %s", token, keyRight)
			}
		}
	}
	sizes := len(slices.DeleteFunc(slices.Clone(tokens), func(token string) bool { return token != "{size}" }))
	whole := slices.Equal(keys, []string{"{key}"}) || slices.Equal(keys, []string{"{dir}", "{name}", "{ext}"})
	if sizes != 1 || !whole {
		return KeyTemplate{}, errors.New(keyRight)
	}
	return KeyTemplate{tokens}, nil
}

// String returns the template as it was read.
func (t KeyTemplate) String() string { return strings.Join(t.tokens, "") }

// CheckSizes refuses size names with which the template is ambiguous, where any of the extensions may be appended: with "{size}-{key}" and the sizes "a" and "a-b",
// the size "a" of "b-x" and the size "a-b" of "x" would be one object. What tells sizes apart is the text around {size}
// up to the key's parts. Behind a name (or the whole key) only its end is in a known place, elsewhere only its start.
func (t KeyTemplate) CheckSizes(sizes, extensions []string) error {
	before, after, behindName := t.aroundSize()
	overlap, where := strings.HasPrefix, "begins"
	endings := []string{""}
	if behindName {
		overlap, where = strings.HasSuffix, "ends"
	}
	if t.endsInSize() {
		endings = append(endings, extensions...) // "x.a.jpg" is the size "a" of "x", as JPEG, and the size "jpg" of "x.a"
	}
	for _, a := range sizes {
		for _, b := range sizes {
			for _, ending := range endings {
				textA, textB := before+a+after+ending, before+b+after
				if a != b && (overlap(textA, textB) || overlap(textB, textA)) {
					return fmt.Errorf("with the sizes %q and %q two sources could have renditions of one name, because %q %s with %q; rename one", a, b, textA, where, textB)
				}
			}
		}
	}
	return nil
}

// aroundSize returns the literals on both sides of {size}, and whether the part of the key before them is open-ended.
func (t KeyTemplate) aroundSize() (before, after string, behindName bool) {
	at := slices.Index(t.tokens, "{size}")
	if at+1 < len(t.tokens) && !strings.HasPrefix(t.tokens[at+1], "{") {
		after = t.tokens[at+1]
	}
	if at > 0 && !strings.HasPrefix(t.tokens[at-1], "{") {
		at--
		before = t.tokens[at]
	}
	return before, after, at > 0 && t.tokens[at-1] != "{dir}"
}

// endsInSize tells whether no part of the key follows the size.
func (t KeyTemplate) endsInSize() bool {
	last := len(t.tokens) - 1
	return t.tokens[last] == "{size}" || t.tokens[last-1] == "{size}" && !strings.HasPrefix(t.tokens[last], "{")
}

// Before returns what stands before the source's key in that of each rendition of a size, if nothing else but a format's
// extension is added to it. Then the renditions of a size are listed in the order of their sources.
func (t KeyTemplate) Before(size string) (before string, only bool) {
	at := slices.Index(t.tokens, "{size}")
	text, after, _ := t.aroundSize()
	rest := t.tokens[at+1:]
	if after != "" {
		rest = rest[1:]
	}
	only = slices.Equal(rest, []string{"{key}"}) || slices.Equal(rest, []string{"{dir}", "{name}", "{ext}"})
	return text + size + after, only
}

// Beginning returns what the key of every rendition of a size begins with, if the source's key begins with prefix.
func (t KeyTemplate) Beginning(size, prefix string) string {
	var b strings.Builder
	for _, token := range t.tokens {
		switch token {
		case "{size}":
			b.WriteString(size)
		case "{key}":
			return b.String() + prefix
		case "{dir}":
			folder, _ := path.Split(prefix)
			return b.String() + folder
		default:
			b.WriteString(token)
		}
	}
	return b.String()
}

// Folder returns what every rendition's key begins with, whatever the size, if the source's key begins with prefix.
func (t KeyTemplate) Folder(prefix string) string {
	folder, _ := path.Split(prefix)
	switch {
	case t.tokens[0] == "{key}" || t.tokens[0] == "{dir}":
		return folder
	case !strings.HasPrefix(t.tokens[0], "{") && (t.tokens[1] == "{key}" || t.tokens[1] == "{dir}"):
		return t.tokens[0] + folder
	default:
		return ""
	}
}

// For returns the key of a rendition. To one whose format is not that of its source, the format's extension is appended,
// with its dot, so that "a.png" and "a.heic" never meet in "a.jpg"; to others "".
func (t KeyTemplate) For(key, size, extension string) string {
	dir, file := path.Split(key)
	ext := path.Ext(file)
	values := map[string]string{
		"{size}": size, "{key}": key, "{dir}": dir, "{name}": strings.TrimSuffix(file, ext), "{ext}": ext,
	}
	var b strings.Builder
	for _, token := range t.tokens {
		if value, ok := values[token]; ok {
			token = value
		}
		b.WriteString(token)
	}
	return b.String() + extension
}
