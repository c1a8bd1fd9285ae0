package feeds

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it; nothing is kept secret by it
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
)

// The frames of RFC 6455 that are written here, and what is read.
const (
	frameText, frameClose, framePing, framePong = 1, 8, 9, 10

	finalBit, maskBit = 0x80, 0x80
	// maxControl is the longest that a client has to say.
	maxControl = 4 << 10
)

// emsc is the dialect of EMSC's socket.
func (s *Server) emsc() dialect {
	return dialect{
		name: EMSC, open: openSocket, heed: heedSocket, alive: frame(framePing, nil), bye: frame(frameClose, []byte{3, 0xe8}),
		start: func(*http.Request) uint64 { return s.live(EMSC) },
		frame: func(n uint64) []byte { return frame(frameText, s.message(n)) },
		other: func(data []byte) []byte { return frame(frameText, bytes.ToValidUTF8(data, []byte("?"))) },
	}
}

// openSocket answers a handshake.
func openSocket(l *wire, r *http.Request) error {
	const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455, section 1.3
	key := r.Header.Get("Sec-Websocket-Key")
	if key == "" {
		_ = l.write([]byte("HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n"))
		return errors.New("feeds: shake hands: no WebSocket")
	}
	sum := sha1.Sum([]byte(key + magic)) //nolint:gosec // see the import
	return l.write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n"))
}

// frame writes a message as one frame.
func frame(kind byte, data []byte) []byte {
	const short, medium = 125, 1<<16 - 1
	b := []byte{finalBit | kind}
	switch n := len(data); {
	case n <= short:
		b = append(b, byte(n))
	case n <= medium:
		b = binary.BigEndian.AppendUint16(append(b, short+1), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, short+2), uint64(n))
	}
	return append(b, data...)
}

// heedSocket reads one frame of the client: a ping is answered, a close ends
// the connection.
func heedSocket(l *wire) error {
	var head [2]byte
	if _, err := io.ReadFull(l.in, head[:]); err != nil {
		return err
	}
	n := int64(head[1] &^ maskBit)
	const medium, long = 126, 127
	switch n {
	case medium:
		var size [2]byte
		if _, err := io.ReadFull(l.in, size[:]); err != nil {
			return err
		}
		n = int64(binary.BigEndian.Uint16(size[:]))
	case long:
		return errors.New("feeds: read frame: too long")
	}
	if n > maxControl || head[1]&maskBit == 0 {
		return errors.New("feeds: read frame: not a client's")
	}
	body := make([]byte, 4+n) // the mask first
	if _, err := io.ReadFull(l.in, body); err != nil {
		return err
	}
	for i := range body[4:] {
		body[4+i] ^= body[i%4]
	}
	switch head[0] &^ finalBit {
	case framePing:
		if l.mute.Load() {
			return nil
		}
		return l.write(frame(framePong, body[4:]))
	case frameClose:
		return io.EOF
	}
	return nil
}
