// INGEST=http://127.0.0.1:7401 KEY=… go run examples/door.go
// Publishes over HTTP with Go's standard library alone.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"
)

type event struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	TenantID string `json:"tenantId"`
	Payload  any    `json:"payload"`
}

var client = http.Client{Timeout: 30 * time.Second}

// The answer's status and text, and the wait that it asks for.
func post(body []byte) (int, string, time.Duration, error) {
	ingest := os.Getenv("INGEST")
	if ingest == "" {
		ingest = "http://127.0.0.1:7401"
	}
	request, err := http.NewRequest("POST", ingest+"/v1/events", bytes.NewReader(body))
	if err != nil {
		return 0, "", 0, err
	}
	request.Header.Set("authorization", "Bearer "+os.Getenv("KEY"))
	request.Header.Set("content-type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, "", 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	seconds, _ := strconv.Atoi(response.Header.Get("retry-after"))
	return response.StatusCode, string(text), time.Duration(seconds) * time.Second, err
}

// Returns once Kafka has the event. It is safe to send it again, because its id stays the same.
func publish(one event) (string, error) {
	body, err := json.Marshal(one)
	if err != nil {
		return "", err
	}
	var last error
	for attempt := 1; attempt <= 5; attempt++ {
		status, text, wait, err := post(body)
		switch {
		case err != nil:
			last = err // no connection, or no answer
		case status == http.StatusAccepted:
			return text, nil
		case status < 500 && status != http.StatusTooManyRequests:
			return "", fmt.Errorf("refused: %s", text) // it says which field breaks which rule
		default:
			last = fmt.Errorf("not published: %s", text)
		}
		time.Sleep(max(wait, time.Duration(attempt)*time.Second))
	}
	return "", last
}

func main() {
	answer, err := publish(event{"go-1", "order.paid", "acme", map[string]any{"orderId": 22, "total": "12.50"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
}
