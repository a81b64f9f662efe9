// appc-render shows an image archive as rkt sees it.
//
//	appc-render ARCHIVE DIR         print the manifest, extract the image below DIR
//	appc-render --manifest ARCHIVE  print the manifest
//	appc-render --validate ARCHIVE  say what "actool validate" says
//	appc-render --read ARCHIVE...   read archives and their layers to their ends
//
// The manifest is found, parsed and checked by appc's own packages aci and
// schema, and its package acirenderer chooses the files. Only the extraction
// is not in appc's library. It is written here after what rkt 1.30 does, in
// the same order of system calls, since that order decides what is lost:
//
//   - into an empty directory, as root, inside a chroot;
//   - nothing is replaced: a second symbolic or hard link of the same name
//     fails, a second regular file is written over the first one and keeps its
//     tail when it is shorter;
//   - owner, mode and time of a hard link's header are applied to the inode
//     that it shares, and, since only symbolic links are spared, to the target
//     of a symbolic link when the hard link is one to that;
//   - only regular files get extended attributes, and only user.* and
//     security.capability;
//   - directories get their times in the end;
//   - an archive without rootfs/, or without the two blocks of zeros at its
//     end, is refused.
//
// In one point rkt is worse. It hands the list of files to the process that
// extracts as JSON, which cannot carry a name that is not UTF-8, so such an
// entry is missing in its tree. Here it is kept, with a line on standard error.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/appc/spec/aci"
	"github.com/appc/spec/pkg/acirenderer"
	"github.com/appc/spec/pkg/device"
	"github.com/appc/spec/schema"
	"github.com/appc/spec/schema/types"
)

const usage = `usage: appc-render ARCHIVE DIR
       appc-render --manifest ARCHIVE
       appc-render --validate ARCHIVE
       appc-render --read ARCHIVE...

Prints the manifest of an application container image and extracts what rkt
would run below DIR, an empty directory; the root file system is DIR/rootfs.
With --manifest, stops after the manifest. With --validate, says whether the
archive keeps to the letter of appc's layout.
`

func main() {
	args := os.Args[1:]
	if len(args) == 1 && (args[0] == "-h" || args[0] == "--help") {
		fmt.Print(usage)
		return
	}
	if len(args) > 1 && args[0] == "--read" {
		os.Exit(readAll(args[1:]))
	}
	if len(args) != 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	var err error
	switch args[0] {
	case "--manifest":
		err = printManifest(args[1])
	case "--validate":
		err = validate(args[1])
	default:
		err = render(args[0], args[1])
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "appc-render: %v\n", err)
		os.Exit(1)
	}
}

// readAll reads archives with Go's own reader, which most engines have. It names
// those that it rejects, and those in whose layer it sees another tree than below
// rootfs/.
func readAll(archives []string) (status int) {
	for _, archive := range archives {
		if err := readOne(archive); err != nil {
			fmt.Printf("%s: Go: %v\n", archive, err)
			status = 1
		}
	}
	return status
}

func readOne(archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	var layer tree
	whole, err := readToEnd(file, func(blob io.Reader) error {
		layer, err = readToEnd(blob, nil)
		return err
	})
	if err != nil {
		return err
	}
	return whole.below("rootfs").compare(layer)
}

// seen is what a reader sees of an entry.
type seen struct {
	kind byte
	link string
	rest string
}

// tree holds what a reader sees of each entry, by its path.
type tree map[string]seen

// readToEnd reads a tar; asLayer is given the layers that it holds as blobs.
func readToEnd(stream io.Reader, asLayer func(io.Reader) error) (tree, error) {
	found := tree{}
	reader := tar.NewReader(stream)
	last := ""
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %q: %w", last, err)
		}
		last = header.Name
		content := bufio.NewReader(reader)
		first, _ := content.Peek(1)
		document := len(first) > 0 && first[0] == '{'
		if asLayer != nil && strings.HasPrefix(last, "blobs/sha256/") && !document {
			if err := asLayer(content); err != nil {
				return nil, fmt.Errorf("layer: %w", err)
			}
		}
		size, err := io.Copy(io.Discard, content)
		if err != nil {
			return nil, fmt.Errorf("in %q: %w", last, err)
		}
		facts := seen{kind: header.Typeflag, rest: fmt.Sprint(
			header.Mode&07777, header.Uid, header.Gid, header.ModTime.UnixNano(), size,
		)}
		switch header.Typeflag {
		case tar.TypeXGlobalHeader:
			continue
		case tar.TypeLink:
			facts.link = clean(header.Linkname)
		case tar.TypeSymlink:
			facts.rest += header.Linkname
		case tar.TypeChar, tar.TypeBlock:
			facts.rest += fmt.Sprint(header.Devmajor, header.Devminor)
		}
		found[clean(header.Name)] = facts
	}
}

func clean(name string) string {
	return strings.TrimPrefix(filepath.Clean("/"+name), "/")
}

// below gives a directory's entries as those of a tree of their own.
func (t tree) below(dir string) tree {
	inner := tree{}
	for path, facts := range t {
		if path == dir {
			inner[""] = facts
		} else if rest := strings.TrimPrefix(path, dir+"/"); rest != path {
			facts.link = strings.TrimPrefix(facts.link, dir+"/")
			inner[rest] = facts
		}
	}
	return inner
}

// compare says in what path the tree below rootfs/ differs from the layer's.
func (t tree) compare(layer tree) error {
	for path := range layer {
		for above := filepath.Dir(path); above != "."; above = filepath.Dir(above) {
			if kind := layer[above].kind; kind == tar.TypeSymlink || kind == tar.TypeLink {
				// Entries have moved to where it leads.
				return nil
			}
		}
	}
	all := tree{}
	for path := range t {
		all[path] = seen{}
	}
	for path := range layer {
		all[path] = seen{}
	}
	for path := range all {
		one, here := t[path]
		two, there := layer[path]
		switch {
		case one == two:
		case !there && (path == "" || one.kind == tar.TypeDir || own[path]):
		case here && there && one.kind == tar.TypeSymlink && two.kind == tar.TypeLink:
		case one.kind == tar.TypeLink && two.kind == tar.TypeLink && one.rest == two.rest:
			// It may lead to another path of the same file.
		default:
			return fmt.Errorf("%q is %v below rootfs/, %v in the layer", path, one, two)
		}
	}
	return nil
}

// own are the files that Docker's older format has in the directory.
var own = map[string]bool{"json": true, "VERSION": true, "layer.tar": true}

// printManifest prints the manifest of an archive.
func printManifest(archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	manifest, err := aci.ManifestFromImage(file)
	if err != nil {
		return err
	}
	return show(manifest)
}

// show prints a manifest, which checks it once more.
func show(manifest *schema.ImageManifest) error {
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("invalid manifest: %v", err)
	}
	fmt.Println(string(text))
	return nil
}

// validate reports what appc's own check of an archive's layout reports.
func validate(archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, err := aci.NewCompressedTarReader(file)
	if err != nil {
		return err
	}
	defer reader.Close()
	return aci.ValidateArchive(reader.Reader)
}

// render prints the manifest of an archive and extracts its files below dir.
func render(archive, dir string) error {
	store, err := openStore(archive)
	if err != nil {
		return err
	}
	app := store.manifest
	if err := show(app); err != nil {
		return err
	}

	rendered, err := acirenderer.GetRenderedACI(app.Name, app.Labels, store)
	if err != nil {
		return err
	}
	if len(rendered) != 1 {
		return fmt.Errorf("%d images to render where there is one", len(rendered))
	}
	files := rendered[0].FileMap
	warnOfNames(files)

	stream, err := store.ReadStream(rendered[0].Key)
	if err != nil {
		return err
	}
	defer stream.Close()
	// A decompressor is started by the first read: there is none to be found
	// inside of the chroot.
	buffered := bufio.NewReaderSize(stream, 1<<20)
	if _, err := buffered.Peek(1); err != nil {
		return err
	}
	if err := enter(dir); err != nil {
		return err
	}
	syscall.Umask(0)
	ending := &tail{reader: buffered}
	if err := extract(tar.NewReader(ending), files); err != nil {
		return err
	}
	if !ending.zero() {
		return errors.New("the archive does not end with two blocks of zeros")
	}
	if info, err := os.Lstat("/rootfs"); err != nil || !info.IsDir() {
		return errors.New("the image has no directory rootfs/")
	}
	return nil
}

// tail remembers the last two blocks that were read.
type tail struct {
	reader io.Reader
	last   []byte
}

const twoBlocks = 1024

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.reader.Read(p)
	read := p[:n]
	if n > twoBlocks {
		read = p[n-twoBlocks : n]
	}
	t.last = append(t.last, read...)
	if extra := len(t.last) - twoBlocks; extra > 0 {
		t.last = append(t.last[:0], t.last[extra:]...)
	}
	return n, err
}

// zero tells whether they are blocks of zeros.
func (t *tail) zero() bool {
	return bytes.Equal(t.last, make([]byte, twoBlocks))
}

// warnOfNames tells which of the files are missing when rkt renders the image.
func warnOfNames(files map[string]struct{}) {
	var lost []string
	for name := range files {
		if !utf8.ValidString(name) {
			lost = append(lost, name)
		}
	}
	sort.Strings(lost)
	for _, name := range lost {
		fmt.Fprintf(os.Stderr, "appc-render: rkt drops %q: its name is not UTF-8\n", name)
	}
}

// enter makes an empty directory the root of the file system, as rkt does, so
// that no symbolic link leads out of it.
func enter(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty", dir)
	}
	if err := syscall.Chroot(dir); err != nil {
		return fmt.Errorf("cannot chroot to %s (run this as root): %v", dir, err)
	}
	return os.Chdir("/")
}

// extract writes the chosen entries of an archive below the root directory.
func extract(reader *tar.Reader, files map[string]struct{}) error {
	var dirs []*tar.Header
	for {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if _, chosen := files[filepath.Clean(header.Name)]; !chosen {
			continue
		}
		if err := extractEntry(reader, header); err != nil {
			return fmt.Errorf("could not extract file %q: %v", header.Name, err)
		}
		if header.Typeflag == tar.TypeDir {
			dirs = append(dirs, header)
		}
	}
	for _, header := range dirs {
		if err := setTimes(header, true); err != nil {
			return fmt.Errorf("could not set the times of %q: %v", header.Name, err)
		}
	}
	return nil
}

// extractEntry writes one entry with its metadata.
func extractEntry(content io.Reader, header *tar.Header) error {
	path := filepath.Join("/", header.Name)
	if err := os.MkdirAll(filepath.Dir(path), 0755); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeReg, tar.TypeRegA:
		if err := writeFile(path, content, header.FileInfo().Mode()); err != nil {
			return err
		}
	case tar.TypeDir:
		if err := os.MkdirAll(path, header.FileInfo().Mode()); err != nil {
			return err
		}
	case tar.TypeLink:
		if err := os.Link(filepath.Join("/", header.Linkname), path); err != nil {
			return err
		}
	case tar.TypeSymlink:
		if err := os.Symlink(header.Linkname, path); err != nil {
			return err
		}
	case tar.TypeChar:
		if err := makeNode(path, syscall.S_IFCHR, header); err != nil {
			return err
		}
	case tar.TypeBlock:
		if err := makeNode(path, syscall.S_IFBLK, header); err != nil {
			return err
		}
	case tar.TypeFifo:
		if err := makeNode(path, syscall.S_IFIFO, header); err != nil {
			return err
		}
	default:
		return fmt.Errorf("unsupported type: %v", header.Typeflag)
	}
	if err := setMetadata(path, header); err != nil {
		return err
	}
	return setTimes(header, header.Typeflag != tar.TypeSymlink)
}

// writeFile writes from the start of a file that may be there already, and
// does not truncate it.
func writeFile(path string, content io.Reader, mode os.FileMode) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// makeNode makes a device or a FIFO.
func makeNode(path string, kind uint32, header *tar.Header) error {
	number := device.Makedev(uint(header.Devmajor), uint(header.Devminor))
	if kind == syscall.S_IFIFO {
		number = 0
	}
	return syscall.Mknod(path, kind|uint32(header.Mode&07777), int(number))
}

// setMetadata sets owner, mode and extended attributes: in this order, since a
// change of the owner clears set-uid bits and capabilities.
func setMetadata(path string, header *tar.Header) error {
	if err := os.Lchown(path, header.Uid, header.Gid); err != nil {
		return err
	}
	if header.Typeflag != tar.TypeSymlink {
		if err := os.Chmod(path, header.FileInfo().Mode()); err != nil {
			return err
		}
	}
	if header.Typeflag != tar.TypeReg && header.Typeflag != tar.TypeRegA {
		return nil
	}
	for record, value := range header.PAXRecords {
		name := strings.TrimPrefix(record, "SCHILY.xattr.")
		if name == record {
			continue
		}
		if strings.HasPrefix(name, "user") || strings.HasPrefix(name, "security.capability") {
			if err := syscall.Setxattr(path, name, []byte(value), 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// setTimes sets the access and modification time of an entry, or of what it
// points to when it is a symbolic link and follow is set.
func setTimes(header *tar.Header, follow bool) error {
	path, err := syscall.BytePtrFromString(filepath.Join("/", header.Name))
	if err != nil {
		return err
	}
	times := [2]syscall.Timespec{timespec(header.AccessTime), timespec(header.ModTime)}
	// Package syscall has no call that spares symbolic links.
	const atFdcwd, atSymlinkNofollow = -100, 0x100
	cwd, flags := atFdcwd, atSymlinkNofollow
	if follow {
		flags = 0
	}
	_, _, errno := syscall.Syscall6(syscall.SYS_UTIMENSAT, uintptr(cwd),
		uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&times)), uintptr(flags), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// timespec gives a time as the kernel takes it, and 1970 where there is none.
func timespec(t time.Time) syscall.Timespec {
	if t.IsZero() {
		return syscall.Timespec{}
	}
	return syscall.NsecToTimespec(t.UnixNano())
}

// store is an image store with one image in it.
type store struct {
	path     string
	key      string
	manifest *schema.ImageManifest
}

// openStore reads the manifest and the key of an archive.
func openStore(path string) (*store, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	manifest, err := aci.ManifestFromImage(file)
	if err != nil {
		return nil, err
	}
	s := &store{path: path, manifest: manifest}
	stream, err := s.ReadStream("")
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	digest := sha512.New()
	if _, err := io.Copy(digest, stream); err != nil {
		return nil, err
	}
	s.key = s.HashToKey(digest)
	return s, nil
}

// image is the opened, decompressed archive.
type image struct {
	io.ReadCloser
	file *os.File
}

func (i image) Close() error {
	err := i.ReadCloser.Close()
	if closeErr := i.file.Close(); err == nil {
		err = closeErr
	}
	return err
}

// ReadStream opens the archive, decompressed.
func (s *store) ReadStream(key string) (io.ReadCloser, error) {
	if key != s.key {
		return nil, fmt.Errorf("no image %s in the store", key)
	}
	file, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	stream, err := aci.NewCompressedReader(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return image{stream, file}, nil
}

// ResolveKey gives the key of an image ID.
func (s *store) ResolveKey(key string) (string, error) {
	if key != s.key {
		return "", fmt.Errorf("no image %s in the store", key)
	}
	return key, nil
}

// HashToKey gives the key of a decompressed archive: half of its SHA-512.
func (s *store) HashToKey(h hash.Hash) string {
	return "sha512-" + hex.EncodeToString(h.Sum(nil)[:sha512.Size/2])
}

// GetImageManifest gives the manifest of an image.
func (s *store) GetImageManifest(key string) (*schema.ImageManifest, error) {
	if _, err := s.ResolveKey(key); err != nil {
		return nil, err
	}
	return s.manifest, nil
}

// GetACI gives the key of the image of a name.
func (s *store) GetACI(name types.ACIdentifier, _ types.Labels) (string, error) {
	if name != s.manifest.Name {
		return "", errors.New("the image has dependencies, which are not at hand")
	}
	return s.key, nil
}
