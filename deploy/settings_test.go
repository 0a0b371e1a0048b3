package deploy_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"s3resizer/internal/config"
)

func pathOf(dotted string) (path []any) {
	for step := range strings.SplitSeq(dotted, ".") {
		path = append(path, step)
	}
	return path
}

// environment is the function's, in the form of os.Environ.
func (s *stack) environment() (environ []string) {
	for name, value := range dig(s.properties("Function"), "Environment", "Variables").(map[string]any) {
		environ = append(environ, fmt.Sprintf("%s=%v", name, value))
	}
	return environ
}

// Whoever fills the form in reads of a setting what the documentation says of it.
func TestTheTemplateDescribesSettingsAsTheTableDoes(t *testing.T) {
	tmpl := readTemplate(t)
	described := 0
	for name, parameter := range tmpl.Parameters {
		text, _ := dig(parameter, "Description").(string)
		setting, _, isOne := strings.Cut(text, ": ")
		if !isOne || !strings.HasPrefix(setting, "RESIZE_") {
			continue
		}
		described++
		i := slices.IndexFunc(config.Table, func(row config.Setting) bool { return row.Name == setting })
		if i < 0 || !strings.HasPrefix(text, setting+": "+config.Table[i].Says) {
			t.Errorf("%s: %q is not what the table of settings says", name, text)
		}
	}
	for _, entry := range mustEvaluate(t, tmpl, nil).environment() {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.ContainsFunc(config.Table, func(row config.Setting) bool { return row.Name == name }) {
			t.Errorf("the function is given %s, which is no setting", name)
		}
	}
	if described < 6 {
		t.Errorf("only %d parameters are described by their settings", described)
	}
}

func TestTheFunctionUnderstandsItsSettings(t *testing.T) {
	tmpl := readTemplate(t)
	defaults, err := config.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		given  map[string]string
		change func(*config.Settings)
	}{
		"by default":      {nil, func(*config.Settings) {}},
		"a cache control": {map[string]string{"CacheControl": "public, max-age=3600"}, func(s *config.Settings) { s.CacheControl = "public, max-age=3600" }},
		"a quality":       {map[string]string{"Quality": "70"}, func(s *config.Settings) { s.Quality.JPEG, s.Quality.WebP, s.Quality.AVIF = 70, 70, 70 }},
		"formats":         {map[string]string{"Formats": "source,webp"}, func(s *config.Settings) { s.Formats = append(slices.Clone(s.Formats), "webp") }},
		"sizes":           {map[string]string{"Sizes": "small=368"}, func(s *config.Settings) { s.Sizes = s.Sizes[:1] }},
		"deletions":       {map[string]string{"DeleteRenditions": "yes"}, func(s *config.Settings) { s.Delete = true }},
		"profiles": {map[string]string{"Profiles": `[{"prefix":"a/","skip":true}]`}, func(s *config.Settings) {
			skip := *s
			skip.Prefix, skip.Skip, skip.Named = "a/", true, map[string]string{}
			s.Profiles = []*config.Settings{&skip}
		}},
		"what travels": {map[string]string{"Copy": "tags,copyright"}, func(s *config.Settings) { s.Copy.Tags, s.Copy.Copyright = true, true }},
		"a log level":  {map[string]string{"LogLevel": "debug"}, func(s *config.Settings) { s.LogLevel = -4 }},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.Load(mustEvaluate(t, tmpl, c.given).environment())
			if err != nil {
				t.Fatal(err)
			}
			if bucket := got.DestBucket.For(source); bucket != destination || got.BucketOwner != account {
				t.Errorf("to %s, of %s", bucket, got.BucketOwner)
			}
			want := defaults
			want.DestBucket, want.BucketOwner = got.DestBucket, account
			if c.change(&want); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}
