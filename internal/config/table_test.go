package config

import (
	"cmp"
	"fmt"
	"os"
	"strings"
	"testing"
)

// The page has the table of settings as it is in the code.
func TestThePageHasEverySetting(t *testing.T) {
	page, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| variable | default | meaning, and why |\n|---|---|---|\n")
	for _, row := range Table {
		usual := row.Else
		if row.Default != "" {
			usual = "`" + row.Default + "`"
		}
		says := strings.ToUpper(row.Says[:1]) + row.Says[1:] + "."
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", row.Name, usual, strings.TrimSpace(says+" "+row.Why))
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/settings.md does not have this table:\n%s", &table)
	}
}

// bad has a value for each setting that it can't have.
var bad = map[string]string{
	"RESIZE_SIZES": "small=0", "RESIZE_FORMATS": "bmp", "RESIZE_QUALITY": "101", "RESIZE_EFFORT": "0", "RESIZE_DEST_BUCKET": "{bucket}", "RESIZE_KEY_TEMPLATE": "{key}",
	"RESIZE_CACHE_CONTROL": "a\nb", "RESIZE_COPY": "metadata,exif", "RESIZE_BACKGROUND": "pink", "RESIZE_BUCKET_OWNER": "me", "RESIZE_RECORD": "no", "RESIZE_MAX_BYTES": "-1", "RESIZE_MAX_PIXELS": "0",
	"RESIZE_MAX_FRAMES": "10001", "RESIZE_MAX_MEMORY": "much", "RESIZE_ON_TRUNCATED": "maybe", "RESIZE_PLANAR": "1", "RESIZE_DELETE": "true", "RESIZE_DEADLINE_MARGIN": "2h",
	"RESIZE_LOG_LEVEL": "loud", "RESIZE_METRICS": "yes", "RESIZE_PROFILES": "[]",
}

func TestEverySettingRefusesSomething(t *testing.T) {
	for _, row := range Table {
		value, known := bad[row.Name]
		if _, err := Load([]string{row.Name + "=" + value}); !known || err == nil || !strings.HasPrefix(err.Error(), row.Name) || !strings.Contains(err.Error(), "want") {
			t.Errorf("%s=%q: %v", row.Name, value, err)
		}
		if cmp.Or(row.Default, row.Else) == "" || row.Says == "" {
			t.Errorf("%s has no default, or nothing says what it is", row.Name)
		}
	}
}

// The fingerprint is in the metadata of everybody's renditions: these must never change.
func TestFingerprintsStay(t *testing.T) {
	for environ, want := range map[string]string{
		"":                             "s3resizer 2\n",
		"RESIZE_QUALITY=80":            "s3resizer 2\nRESIZE_QUALITY=avif=80\n",
		"RESIZE_QUALITY=avif=50":       "s3resizer 2\n",
		"RESIZE_BACKGROUND=#FFFFFF":    "s3resizer 2\n",
		"RESIZE_BACKGROUND=black":      "s3resizer 2\nRESIZE_BACKGROUND=#000000\n",
		"RESIZE_MAX_PIXELS=1":          "s3resizer 2\n",
		"RESIZE_ON_TRUNCATED=accept":   "s3resizer 2\nRESIZE_ON_TRUNCATED=accept\n",
		"RESIZE_CACHE_CONTROL=a=1%, b": "s3resizer 2\nRESIZE_CACHE_CONTROL=a=1%25, b\n",
		"RESIZE_COPY=tags, metadata":   "s3resizer 2\nRESIZE_COPY=metadata,tags\n",
		"RESIZE_SIZES=b=2,a=1\x00RESIZE_KEY_TEMPLATE=ü/{size}-{key}\x00RESIZE_FORMATS=source,webp\x00RESIZE_EFFORT=webp=6,gif=1": "s3resizer 2\nRESIZE_EFFORT=gif=1,webp=6\nRESIZE_FORMATS=source,webp\nRESIZE_KEY_TEMPLATE=%C3%BC/{size}-{key}\nRESIZE_SIZES=b=2,a=1\n",
	} {
		s, err := Load(strings.Split(environ, "\x00"))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Canonical(); got != want {
			t.Errorf("%q: %q, want %q", environ, got, want)
		}
	}
	s, err := Load([]string{"RESIZE_FORMATS=source,webp", "RESIZE_QUALITY=jpeg=75"})
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{defaults().Fingerprint(), s.Fingerprint()}; got[0] != "03ffeb02a7b9" || got[1] != "22539265b303" {
		t.Errorf("%v", got)
	}
}
