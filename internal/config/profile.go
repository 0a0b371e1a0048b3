package config

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"s3resizer/internal/naming"
	"s3resizer/resize"
)

// ProfilesName is the variable with settings by prefix. They are read after all others, which they inherit.
const ProfilesName = prefix + "PROFILES"

// For returns the settings that apply to a source's key: those of the profile whose prefix is the longest that it begins
// with, or s.
func (s *Settings) For(key string) *Settings {
	for _, profile := range s.Profiles { // the longest prefix first
		if strings.HasPrefix(key, profile.Prefix) {
			return profile
		}
	}
	return s
}

// Within returns all settings that apply to keys with a prefix: first those for what is in no deeper profile.
func (s *Settings) Within(prefix string) []*Settings {
	all := []*Settings{s.For(prefix)}
	for _, profile := range s.Profiles {
		if profile != all[0] && strings.HasPrefix(profile.Prefix, prefix) {
			all = append(all, profile)
		}
	}
	return all
}

// Fingerprints returns a function that tells the fingerprint of the settings that apply to a source's key. Each was made
// once.
func (s *Settings) Fingerprints() func(key string) string {
	made := map[*Settings]string{s: s.Fingerprint()}
	for _, profile := range s.Profiles {
		made[profile] = profile.Fingerprint()
	}
	return func(key string) string { return made[s.For(key)] }
}

// FingerprintWithin is that of all settings that apply to keys with a prefix together, for who goes over them; of one alone
// it is [Settings.Fingerprint].
func (s *Settings) FingerprintWithin(prefix string) string {
	all := s.Within(prefix)
	if len(all) == 1 {
		return all[0].Fingerprint()
	}
	sum := sha256.New()
	for _, one := range all {
		fmt.Fprintf(sum, "%q %v %s\n", one.Prefix, one.Skip, one.Fingerprint())
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

// SizeNames are the names of all sizes that something is made in, those of the function first.
func (s *Settings) SizeNames() []string {
	var names []string
	for _, one := range append([]*Settings{s}, s.Profiles...) {
		for _, size := range one.Sizes {
			if !slices.Contains(names, size.Name) {
				names = append(names, size.Name)
			}
		}
	}
	return names
}

// profileExample is a right one.
const profileExample = `[{"prefix":"avatars/","sizes":"small=64"}]`

// setProfiles reads the profiles, each of which inherits what s has. Every mistake says where it is.
func (s *Settings) setProfiles(value string) (mistakes []error) {
	if !utf8.ValidString(value) { // JSON would have other characters in its place
		return []error{fmt.Errorf("%s: want UTF-8, as keys are", ProfilesName)}
	}
	var all []json.RawMessage
	err := json.Unmarshal([]byte(value), &all)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return []error{fmt.Errorf("%s: at byte %d: %w; want a JSON array, such as %s", ProfilesName, syntax.Offset, syntax, profileExample)}
	}
	if err != nil || len(all) == 0 {
		return []error{fmt.Errorf("%s: want a JSON array with at least one profile, such as %s", ProfilesName, profileExample)}
	}
	places := map[string]string{}
	for i, text := range all {
		place := fmt.Sprintf("%s[%d]", ProfilesName, i)
		profile, wrong := s.profile(place, text)
		mistakes = append(mistakes, wrong...)
		if first, twice := places[profile.Prefix]; twice && profile.Prefix != "" {
			mistakes = append(mistakes, fmt.Errorf("%s.prefix: %q is that of %s too; want one profile for each prefix", place, profile.Prefix, first))
		} else {
			places[profile.Prefix] = place
		}
		s.Profiles = append(s.Profiles, profile)
	}
	slices.SortStableFunc(s.Profiles, func(a, b *Settings) int { return cmp.Compare(len(b.Prefix), len(a.Prefix)) })
	return mistakes
}

// profile reads one, which is at that place.
func (s *Settings) profile(place string, text json.RawMessage) (*Settings, []error) {
	p := *s
	p.Profiles, p.Named = nil, map[string]string{}
	var mistakes []error
	wrong := func(name string, err error) {
		mistakes = append(mistakes, fmt.Errorf("%s.%s: %w", place, printable(name), err))
	}
	// By its tokens, because a field that is there twice is a mistake too. The text is known to be JSON.
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	if token, _ := decoder.Token(); token != json.Delim('{') {
		return &p, []error{fmt.Errorf("%s: want an object, as in %s", place, profileExample)}
	}
	seen := map[string]bool{}
	for decoder.More() {
		token, _ := decoder.Token()
		var field json.RawMessage
		_ = decoder.Decode(&field)
		name, _ := token.(string)
		if seen[name] {
			wrong(name, errors.New("it is there twice; want it once"))
		}
		seen[name] = true
		if err := p.setField(name, field); err != nil {
			wrong(name, err)
		}
	}
	if !seen["prefix"] {
		wrong("prefix", errNoPrefix)
	}
	if p.Skip && len(p.Named) > 0 {
		wrong("skip", errors.New("want no settings beside it: nothing is made of what is skipped"))
	}
	if len(mistakes) == 0 && p.Named[prefix+"SIZES"]+p.Named[prefix+"KEY_TEMPLATE"] != "" {
		if err := p.checkNames(); err != nil {
			wrong("sizes", fmt.Errorf("with the key_template %q: %w", p.Key, err))
		}
	}
	return &p, mistakes
}

var errNoPrefix = errors.New(`want what the keys begin with, such as "avatars/"; all other keys have the settings that are not in a profile`)

// setField sets what a field of a profile says. The settings that a profile may have are those that decide what a rendition
// is or is called. Its errors say what would be right.
func (s *Settings) setField(name string, field json.RawMessage) error {
	var text string
	isText := field[0] == '"' && json.Unmarshal(field, &text) == nil
	i := slices.IndexFunc(Table, func(row Setting) bool { return inProfile(row.Name) == name })
	switch {
	case name == "skip":
		s.Skip = field[0] == 't'
		if !s.Skip && field[0] != 'f' {
			return fmt.Errorf("%s: want true or false", printable(string(field)))
		}
		return nil
	case name != "prefix" && i < 0:
		return fmt.Errorf("there is no such setting; want of %s", strings.Join(profileNames(), ", "))
	case name != "prefix" && Table[i].decides == nil:
		return fmt.Errorf("%s is for all of the function; want of %s", Table[i].Name, strings.Join(profileNames(), ", "))
	case !isText:
		return fmt.Errorf("%s: want a string, in quotes", printable(string(field)))
	case name == "prefix" && text == "":
		return errNoPrefix
	case name == "prefix" && len(text) > naming.MaxKey:
		return fmt.Errorf("it has %d bytes; want at most %d, since no key is longer", len(text), naming.MaxKey)
	case name == "prefix":
		s.Prefix = text
		return nil
	case text == "" && Table[i].Default != "":
		return errors.New(`"": want a value; a setting that is left out is inherited`)
	}
	s.Named[Table[i].Name] = text
	if err := Table[i].set(s, text); err != nil {
		return inValue(text, err)
	}
	return nil
}

// compact takes what JSON does not need out of it.
func compact(text string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return text // which may be none
	}
	return out.String()
}

// environmentBytes is what Lambda takes of variables, in bytes of the JSON that they are in its API.
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const environmentBytes = 4096

// PackedProfiles returns the profiles of an environment that [Load] accepts in as few bytes as they take, or says that Lambda
// has not got that many, beside the other settings.
func PackedProfiles(environ []string) (string, error) {
	variables := map[string]string{}
	for _, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, prefix) {
			variables[name] = value
		}
	}
	packed := compact(variables[ProfilesName])
	variables[ProfilesName] = packed
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(variables); err != nil {
		return "", err
	}
	if size := out.Len() - len("\n"); size > environmentBytes {
		return "", fmt.Errorf("%s: with the other variables it takes %d bytes (a quote in it takes two); want at most %d, which is what Lambda has for all of them: take fewer profiles, or let them inherit more",
			ProfilesName, size, environmentBytes)
	}
	return packed, nil
}

// inProfile is what a variable's setting is called in a profile.
func inProfile(variable string) string { return strings.ToLower(strings.TrimPrefix(variable, prefix)) }

func profileNames() []string {
	names := []string{"prefix", "skip"}
	for _, row := range Table {
		if row.decides != nil {
			names = append(names, inProfile(row.Name))
		}
	}
	return names
}

// compareNames notes which settings can't be told from others by the names of their renditions.
func (s *Settings) compareNames() {
	all := append([]*Settings{s}, s.Profiles...)
	for i, one := range all {
		for _, other := range all[:i] {
			if one.mayMeet(other) {
				one.NamesMayMeet, other.NamesMayMeet = true, true
			}
		}
	}
}

// mayMeet reports whether a rendition may have the name of one of another source, under other settings. It has not if the
// template is the same and tells all of their sizes apart, or if what is known of their beginnings differs.
func (s *Settings) mayMeet(other *Settings) bool {
	if s.Key.String() == other.Key.String() {
		both := Settings{Key: s.Key, Sizes: slices.Concat(s.Sizes, other.Sizes)}
		return both.checkNames() != nil
	}
	meet := func(a, b resize.Size) bool {
		one, two := s.Key.Beginning(a.Name, s.Prefix), other.Key.Beginning(b.Name, other.Prefix)
		return strings.HasPrefix(one, two) || strings.HasPrefix(two, one)
	}
	return slices.ContainsFunc(s.Sizes, func(a resize.Size) bool {
		return slices.ContainsFunc(other.Sizes, func(b resize.Size) bool { return meet(a, b) })
	})
}
