package web_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// chromium is a real browser, driven through its debugging pipe: one JSON message after another, each ended by a
// zero byte (https://chromedevtools.github.io/devtools-protocol/).
type chromium struct {
	t       *testing.T
	in      io.Writer
	out     *bufio.Reader
	session string // of the page
	last    int    // id of the last command
}

// newChromium starts the browser at SWITCHBOARD_CHROMIUM or in PATH, or skips the test.
func newChromium(t *testing.T, width, height int) *chromium {
	t.Helper()
	program := findChromium()
	if program == "" {
		t.Skip("no chromium in PATH, and SWITCHBOARD_CHROMIUM names none: the pages are not tried in a real browser")
	}
	commandRead, commandWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	answerRead, answerWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	// Not the test's context: the browser must outlive it until the clean-up has waited for it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	command := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--no-first-run",
		"--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir="+t.TempDir(),
		fmt.Sprintf("--window-size=%d,%d", width, height), "about:blank")
	command.ExtraFiles = []*os.File{commandRead, answerWrite} // 3 and 4
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	commandRead.Close()
	answerWrite.Close()
	c := &chromium{t: t, in: commandWrite, out: bufio.NewReader(answerRead)}
	t.Cleanup(func() {
		c.session = ""
		_, _ = c.try("Browser.close", nil)
		commandWrite.Close()
		answerRead.Close()
		_ = command.Wait()
		cancel()
	})
	c.attach(width, height)
	return c
}

func findChromium() string {
	for _, name := range []string{os.Getenv("SWITCHBOARD_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	return ""
}

// attach makes a page with the size of a window or a telephone.
func (c *chromium) attach(width, height int) {
	c.t.Helper()
	var target struct {
		ID string `json:"targetId"`
	}
	c.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct {
		ID string `json:"sessionId"`
	}
	c.call("Target.attachToTarget", map[string]any{"targetId": target.ID, "flatten": true}, &session)
	c.session = session.ID
	c.call("Page.enable", nil, nil)
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
	}, nil)
}

// call runs one command and reads its result.
func (c *chromium) call(method string, parameters, result any) {
	c.t.Helper()
	answer, err := c.try(method, parameters)
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	if result == nil {
		return
	}
	if err := json.Unmarshal(answer, result); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
}

func (c *chromium) try(method string, parameters any) (json.RawMessage, error) {
	c.last++
	command := map[string]any{"id": c.last, "method": method, "params": parameters}
	if parameters == nil {
		command["params"] = struct{}{}
	}
	if c.session != "" {
		command["sessionId"] = c.session
	}
	text, err := json.Marshal(command)
	if err != nil {
		return nil, err
	}
	if _, err := c.in.Write(append(text, 0)); err != nil {
		return nil, err
	}
	for {
		text, err := c.out.ReadBytes(0)
		if err != nil {
			return nil, err
		}
		var answer struct {
			ID     int             `json:"id"`
			Result json.RawMessage `json:"result"`
			Error  json.RawMessage `json:"error"`
		}
		if err := json.Unmarshal(text[:len(text)-1], &answer); err != nil {
			return nil, err
		}
		if answer.ID != c.last {
			continue // an event
		}
		if answer.Error != nil {
			return nil, fmt.Errorf("%s", answer.Error)
		}
		return answer.Result, nil
	}
}

// open goes to an address and waits for its page.
func (c *chromium) open(address string) {
	c.t.Helper()
	c.call("Page.navigate", map[string]any{"url": address}, nil)
	c.until("location.href !== 'about:blank' && document.readyState === 'complete'")
}

// run evaluates an expression on the page.
func (c *chromium) run(expression string) any {
	c.t.Helper()
	value, err := c.evaluate(expression)
	if err != nil {
		c.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

func (c *chromium) evaluate(expression string) (any, error) {
	text, err := c.try("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Result struct {
			Value any `json:"value"`
		} `json:"result"`
		Exception json.RawMessage `json:"exceptionDetails"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	if answer.Exception != nil {
		return nil, fmt.Errorf("%s", answer.Exception)
	}
	return answer.Result.Value, nil
}

// until waits for a condition on the page, whatever page that is by then.
func (c *chromium) until(condition string) {
	c.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		// A page that is being left cannot answer; the next one will.
		if value, err := c.evaluate("!!(" + condition + ")"); err == nil && value == true {
			return
		}
		// The browser offers no wait that survives a change of page.
		time.Sleep(20 * time.Millisecond)
	}
	c.t.Fatalf("never came: %s\n%s", condition, c.run("document.body.innerText"))
}

// write fills in a field.
func (c *chromium) write(selector, text string) {
	c.t.Helper()
	c.run(fmt.Sprintf("document.querySelector(%q).value = %q", selector, text))
}

// click presses what the selector finds.
func (c *chromium) click(selector string) {
	c.t.Helper()
	c.run(fmt.Sprintf("document.querySelector(%q).click()", selector))
}

// picture saves what the page looks like, if SWITCHBOARD_PICTURES names a directory for it.
func (c *chromium) picture(name string) {
	c.t.Helper()
	dir := os.Getenv("SWITCHBOARD_PICTURES")
	if dir == "" {
		return
	}
	var shot struct {
		Data string `json:"data"`
	}
	c.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	content, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/"+name+".png", content, 0o600); err != nil {
		c.t.Fatal(err)
	}
}
