package main

import (
	"net/http"
	"strings"
)

// sessions marks the cookie of each session, which is as good as a password for as long as that
// lasts: so the tests know it wherever it turns up. Beneath, sessions have the ids they ever had.
type sessions struct {
	mark string
	http.Handler
}

func (s sessions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for at, cookie := range r.Header["Cookie"] {
		r.Header["Cookie"][at] = strings.ReplaceAll(cookie, s.mark, "")
	}
	s.Handler.ServeHTTP(&marking{ResponseWriter: w, mark: s.mark}, r)
}

// marking is an answer whose cookies are marked before anything of it is sent.
type marking struct {
	http.ResponseWriter
	mark string
	sent bool
}

func (m *marking) WriteHeader(status int) {
	if !m.sent {
		m.sent = true
		for at, cookie := range m.Header()["Set-Cookie"] {
			m.Header()["Set-Cookie"][at] = strings.Replace(cookie, "=", "="+m.mark, 1)
		}
	}
	m.ResponseWriter.WriteHeader(status)
}

func (m *marking) Write(body []byte) (int, error) {
	if !m.sent {
		m.WriteHeader(http.StatusOK)
	}
	return m.ResponseWriter.Write(body)
}

func (m *marking) Flush() {
	if flusher, ok := m.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}
