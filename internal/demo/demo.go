package demo

import (
	"errors"
	"fmt"
	"image"
)

// Photo is one upload of the demo.
type Photo struct {
	Key  string // the S3 object key
	Data []byte // the file
	Note string // what is special about it, in a few words
}

// Set makes the pictures of the demo, always the same, in a fixed order:
// every format and every oddity that phones and cameras upload, and keys that
// need care. It uses all cores for a few seconds.
func Set() ([]Photo, error) {
	photos := make([]Photo, len(demoShots))
	errs := make([]error, len(demoShots))
	inParallel(len(demoShots), func() func(int) {
		return func(i int) {
			shot := &demoShots[i]
			data, err := shot.develop()
			if err != nil {
				errs[i] = fmt.Errorf("make %s: %w", shot.key, err)
			}
			photos[i] = Photo{Key: shot.key, Data: data, Note: shot.note}
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return photos, nil
}

// shot is the recipe of a demo photo.
type shot struct {
	key, note string
	take      func() image.Image
	options   Options
	wideGamut bool // convert to Display P3 and embed its profile
}

func (s *shot) develop() ([]byte, error) {
	img, options := s.take(), s.options
	if s.wideGamut {
		converted, profile, err := DisplayP3(img.(*image.NRGBA))
		if err != nil {
			return nil, err
		}
		img, options.Profile = converted, profile
	}
	return Encode(img, options)
}

func sceneShot(kind Kind, seed uint64, width, height int) func() image.Image {
	return func() image.Image { return Scene(kind, seed, width, height) }
}

// The largest come first, so that no core is left with them at the end.
var demoShots = []shot{
	{key: "holiday/mountains.jpg", note: "baseline JPEG, 12 MP, with GPS",
		take: sceneShot(Mountains, 3, 4032, 3024), options: Options{Format: "jpeg", Quality: 90, Orientation: 1}},
	{key: "holiday/sunset at sea.jpg", note: "progressive JPEG, spaces in its key",
		take: sceneShot(Sea, 2, 3464, 2598), options: Options{Format: "jpeg", Quality: 88, Progressive: true}},
	{key: "city/river+skyline.webp", note: "WebP, a plus in its key",
		take: sceneShot(City, 2, 3000, 2000), options: Options{Format: "webp", Quality: 82}},
	{key: "portraits/poppies.jpg", note: "EXIF orientation 6, stored lying on its side",
		take: sceneShot(Meadow, 0, 2268, 3024), options: Options{Format: "jpeg", Quality: 90, Orientation: 6}},
	{key: "여행/제주 바다.jpg", note: "Korean key",
		take: sceneShot(Sea, 1, 2700, 1800), options: Options{Format: "jpeg", Quality: 90}},
	{key: "northern lights.jpg", note: "Display P3 profile",
		take: sceneShot(Aurora, 1, 2400, 1600), options: Options{Format: "jpeg", Quality: 90}, wideGamut: true},
	{key: "holiday/dunes.jpg", note: "baseline JPEG, 5 MP, no EXIF",
		take: sceneShot(Dunes, 1, 2592, 1944), options: Options{Format: "jpeg", Quality: 85}},
	{key: "archive/desert.jpg", note: "grey JPEG, one channel",
		take:    func() image.Image { return Gray(Scene(Dunes, 2, 2400, 1600)) },
		options: Options{Format: "jpeg", Quality: 85}},
	{key: "stickers/balloon.png", note: "PNG with alpha",
		take:    func() image.Image { return Sticker(1, 1600, 1600) },
		options: Options{Format: "png"}},
	{key: "avatars/peak.jpg", note: "narrower than every size: never enlarged",
		take: sceneShot(Mountains, 2, 320, 240), options: Options{Format: "jpeg", Quality: 85}},
}
