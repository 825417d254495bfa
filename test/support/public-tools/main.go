// Command public-tools checks what this project exports with tools that share no code with it: golang.org/x/mod/sumdb/note and tlog, and
// transparency-dev/merkle. It reads checks as JSON lines on standard input and answers each with one line: "ok" or "refused: why".
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type check struct {
	Kind        string   `json:"kind"`
	Note        string   `json:"note"`
	VerifierKey string   `json:"verifierKey"`
	Text        string   `json:"text"`
	Origin      string   `json:"origin"`
	Leaf        []byte   `json:"leaf"`
	Index       uint64   `json:"index"`
	Size        uint64   `json:"size"`
	From        uint64   `json:"from"`
	Root        []byte   `json:"root"`
	FromRoot    []byte   `json:"fromRoot"`
	Path        [][]byte `json:"path"`
	Proof       string   `json:"proof"`
	BlockHash   []byte   `json:"blockHash"`
	TilePath    string   `json:"tilePath"`
	Level       int      `json:"level"`
	TileIndex   int64    `json:"tileIndex"`
	Width       int      `json:"width"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for lines.Scan() {
		var one check
		err := json.Unmarshal(lines.Bytes(), &one)
		if err == nil {
			err = run(one)
		}
		if err != nil {
			fmt.Fprintf(out, "refused: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		fmt.Fprintln(out, "ok")
	}
}

func run(one check) error {
	switch one.Kind {
	case "note":
		return checkNote(one)
	case "checkpoint":
		_, err := checkpointOf(one.Note, one.VerifierKey, one.Origin)
		return err
	case "inclusion":
		return checkInclusion(one.Leaf, one.Index, one.Size, one.Root, one.Path)
	case "consistency":
		return checkConsistency(one)
	case "tlog-proof":
		return checkTlogProof(one)
	case "tile-path":
		return checkTilePath(one)
	}
	return fmt.Errorf("unknown kind %q", one.Kind)
}

func open(signed, key string) (*note.Note, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, err
	}
	return note.Open([]byte(signed), note.VerifierList(verifier))
}

func checkNote(one check) error {
	opened, err := open(one.Note, one.VerifierKey)
	if err != nil {
		return err
	}
	if opened.Text != one.Text {
		return errors.New("another text")
	}
	return nil
}

func checkpointOf(signed, key, origin string) (*tlog.Tree, error) {
	opened, err := open(signed, key)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != origin || lines[3] != "" {
		return nil, errors.New("not three lines of this origin")
	}
	var size int64
	if _, err := fmt.Sscanf(lines[1], "%d", &size); err != nil {
		return nil, err
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil {
		return nil, err
	}
	return &tlog.Tree{N: size, Hash: hash}, nil
}

// checkInclusion asks both libraries: they must agree.
func checkInclusion(leaf []byte, index, size uint64, root []byte, path [][]byte) error {
	hasher := rfc6962.DefaultHasher
	merkleErr := proof.VerifyInclusion(hasher, index, size, hasher.HashLeaf(leaf), path, root)
	treeHash, err := hashOf(root)
	if err != nil {
		return err
	}
	record, err := recordProofOf(path)
	if err != nil {
		return err
	}
	tlogErr := tlog.CheckRecord(record, int64(size), treeHash, int64(index), tlog.RecordHash(leaf))
	return agreed(merkleErr, tlogErr)
}

func checkConsistency(one check) error {
	merkleErr := proof.VerifyConsistency(rfc6962.DefaultHasher, one.From, one.Size, one.Path, one.FromRoot, one.Root)
	newHash, err := hashOf(one.Root)
	if err != nil {
		return err
	}
	oldHash, err := hashOf(one.FromRoot)
	if err != nil {
		return err
	}
	record, err := recordProofOf(one.Path)
	if err != nil {
		return err
	}
	return agreed(merkleErr, tlog.CheckTree(tlog.TreeProof(record), int64(one.Size), newHash, int64(one.From), oldHash))
}

// checkTlogProof reads a proof file as c2sp.org/tlog-proof says and checks that slot tag (extra) and block hash are the leaf's data.
func checkTlogProof(one check) error {
	head, signed, found := strings.Cut(one.Proof, "\n\n")
	if !found {
		return errors.New("no blank line")
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	tag, err := base64.StdEncoding.Strict().DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	var index uint64
	if _, err := fmt.Sscanf(lines[2], "index %d", &index); err != nil {
		return err
	}
	var path [][]byte
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		path = append(path, hash[:])
	}
	tree, err := checkpointOf(signed, one.VerifierKey, one.Origin)
	if err != nil {
		return err
	}
	return checkInclusion(append(tag, one.BlockHash...), index, uint64(tree.N), tree.Hash[:], path)
}

// checkTilePath compares with tlog's own paths of tiles of height 8, which name the height and put data in "data".
func checkTilePath(one check) error {
	tile := tlog.Tile{H: 8, L: one.Level, N: one.TileIndex, W: one.Width}
	if path := "/" + strings.Replace(tile.Path(), "tile/8/", "tile/", 1); path != one.TilePath {
		return fmt.Errorf("tlog says %s", path)
	}
	return nil
}

func hashOf(bytes []byte) (tlog.Hash, error) {
	var hash tlog.Hash
	if len(bytes) != len(hash) {
		return hash, errors.New("a hash is 32 bytes")
	}
	copy(hash[:], bytes)
	return hash, nil
}

func recordProofOf(path [][]byte) (tlog.RecordProof, error) {
	var record tlog.RecordProof
	for _, bytes := range path {
		hash, err := hashOf(bytes)
		if err != nil {
			return nil, err
		}
		record = append(record, hash)
	}
	return record, nil
}

func agreed(merkleErr, tlogErr error) error {
	if (merkleErr == nil) != (tlogErr == nil) {
		return fmt.Errorf("the libraries disagree: merkle %v, tlog %v", merkleErr, tlogErr)
	}
	return merkleErr
}
