// WEBHOOK_SECRETS="whsec_…" go run examples/receiving/receive.go
// Go's standard library alone. During a rotation name both secrets, with a space between them.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxBodyBytes     = 1_048_576
	maxWaiting       = 1_000
	maxRemembered    = 10_000
	toleranceSeconds = 300
)

var (
	keys       [][]byte
	isSeconds  = regexp.MustCompile(`^[0-9]{1,12}$`)
	waiting    = make(chan webhook, maxWaiting)
	lock       sync.Mutex
	remembered = map[string]bool{}
	order      []string // of the remembered ids, the oldest first
)

type webhook struct {
	id   string
	body []byte
}

func keyOf(secret string) ([]byte, error) {
	// A public key, which everybody knows, must not become the key of an HMAC.
	if strings.HasPrefix(secret, "whpk_") || strings.HasPrefix(secret, "whsk_") {
		return nil, errors.New("whpk_ and whsk_ are ed25519 keys: this program verifies HMACs (whsec_) alone.")
	}
	encoded, isBase64 := strings.CutPrefix(secret, "whsec_")
	if !isBase64 {
		return []byte(secret), nil
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	// With an empty key anybody can sign.
	if err != nil || len(key) == 0 {
		return nil, errors.New("What follows whsec_ in a secret must be base64.")
	}
	return key, nil
}

// Whether one of the secrets has signed these bytes, a short while ago.
func isSigned(headers http.Header, body []byte) bool {
	id, timestamp := headers.Get("webhook-id"), headers.Get("webhook-timestamp")
	// A full stop separates what is signed: with one in the id, other bytes could have the same signature.
	if id == "" || strings.Contains(id, ".") || !isSeconds.MatchString(timestamp) {
		return false
	}
	seconds, _ := strconv.ParseInt(timestamp, 10, 64)
	if age := time.Now().Unix() - seconds; age > toleranceSeconds || age < -toleranceSeconds {
		return false
	}
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		io.WriteString(mac, id+"."+timestamp+".")
		mac.Write(body)
		expected := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		for _, given := range strings.Split(headers.Get("webhook-signature"), " ") {
			if hmac.Equal([]byte(given), expected) {
				return true
			}
		}
	}
	return false
}

// Keeps a webhook for later. False if there is no room.
// In memory, so that the example is short. Yours is a table with the id as its key, which outlives the process.
func keep(one webhook) bool {
	lock.Lock()
	defer lock.Unlock()
	if remembered[one.id] {
		return true // it has come before: nothing to do
	}
	select {
	case waiting <- one:
	default:
		return false
	}
	remembered[one.id] = true
	order = append(order, one.id)
	if len(order) > maxRemembered {
		delete(remembered, order[0])
		order = order[1:]
	}
	return true
}

func work() {
	for one := range waiting {
		fmt.Printf("%s %s\n", one.id, one.body) // your work, after the answer
	}
}

func receive(response http.ResponseWriter, request *http.Request) {
	if request.ContentLength > maxBodyBytes {
		response.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, maxBodyBytes))
	if err != nil {
		response.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	switch {
	case !isSigned(request.Header, body):
		response.WriteHeader(http.StatusUnauthorized)
	case !keep(webhook{request.Header.Get("webhook-id"), body}):
		response.Header().Set("retry-after", "5")
		response.WriteHeader(http.StatusServiceUnavailable)
	default:
		response.WriteHeader(http.StatusNoContent)
	}
}

func main() {
	for _, secret := range strings.Fields(os.Getenv("WEBHOOK_SECRETS")) {
		key, err := keyOf(secret)
		if err != nil {
			log.Fatal(err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		log.Fatal("Set WEBHOOK_SECRETS to the endpoint's secret (whsec_…).")
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	go work()
	fmt.Printf("Listening on http://%s\n", listener.Addr())
	server := http.Server{Handler: http.HandlerFunc(receive), ReadTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	log.Fatal(server.Serve(listener))
}
