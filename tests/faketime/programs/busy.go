// busy SECONDS GOROUTINES: answers as answers.c does, while its goroutines read the clock and its memory is
// collected without a pause.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

var backward, wrong, reads int64
var kept [64][]byte

func run(ahead int64) {
	before, start := time.Now().UnixNano(), time.Now()
	for since := time.Duration(0); ; {
		now, still := time.Now().UnixNano(), time.Since(start)
		step := now - before
		if step < -ahead/2 {
			step += ahead
		} else if step > ahead/2 {
			step -= ahead
		}
		if step < 0 || still < since {
			atomic.AddInt64(&backward, 1)
		}
		if step > int64(time.Minute) {
			atomic.AddInt64(&wrong, 1)
		}
		before, since = now, still
		atomic.AddInt64(&reads, 1)
	}
}

func main() {
	seconds, _ := strconv.ParseInt(os.Args[1], 10, 64)
	count, _ := strconv.Atoi(os.Args[2])
	for i := 0; i < count; i++ {
		go run(seconds * int64(time.Second))
	}
	go func() {
		for i := 0; ; i++ {
			kept[i%64] = make([]byte, 4096)
			runtime.GC()
		}
	}()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		now := time.Now().Unix()
		fmt.Println(now, now, now, atomic.LoadInt64(&backward), atomic.LoadInt64(&wrong), atomic.LoadInt64(&reads))
	}
}
