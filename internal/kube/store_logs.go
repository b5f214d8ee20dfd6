package kube

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/internal/hosting"
)

var _ hosting.LogReader = Store{}

// maxLogLine bounds a line of a log in bytes; what is longer is cut there.
const maxLogLine = 4 << 10

// ReadLog implements hosting.LogReader.
func (s Store) ReadLog(ctx context.Context, at hosting.LogPlace, see func(time.Time, string) error) error {
	pod, err := s.logPod(ctx, at)
	if err != nil {
		return err
	}
	options := &corev1.PodLogOptions{Container: at.Container, Previous: at.Previous, Follow: at.Follow, Timestamps: true}
	if !at.Since.IsZero() {
		options.SinceTime = &metav1.Time{Time: at.Since}
	}
	stream, err := s.raw.Get().Namespace(at.Namespace).Resource("pods").Name(pod).SubResource("log").
		VersionedParams(options, s.params).Stream(ctx)
	if err != nil {
		return s.logAnswer(ctx, at, err)
	}
	defer stream.Close()
	err = eachLine(stream, see)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// logAnswer explains what kubelet says of a container that has not begun.
func (s Store) logAnswer(ctx context.Context, at hosting.LogPlace, err error) error {
	if apierrors.IsBadRequest(err) || apierrors.IsNotFound(err) {
		return &hosting.Error{Code: hosting.Conflict, Message: "The log can't be read now.", Mend: "The program may just be starting: try again in a moment.",
			Err: fmt.Errorf("read the log of %s: %w", at.Container, err)}
	}
	return s.answer(ctx, "read the log of "+at.Container, err)
}

// logPod returns the pod whose log is meant, if it has one.
func (s Store) logPod(ctx context.Context, at hosting.LogPlace) (string, error) {
	pods := &corev1.PodList{}
	if err := s.Client.List(ctx, pods, client.InNamespace(at.Namespace), client.MatchingLabels(at.Labels)); err != nil {
		return "", s.answer(ctx, "list pods in "+at.Namespace, err)
	}
	var newest *corev1.Pod
	for i := range pods.Items {
		p := &pods.Items[i]
		if (at.Pod == "" || p.Name == at.Pod) && (newest == nil || newest.CreationTimestamp.Before(&p.CreationTimestamp)) {
			newest = p
		}
	}
	if newest == nil {
		return "", &hosting.Error{Code: hosting.Conflict, Message: "No program runs, so there is no log.",
			Mend: "A log is kept as long as its pod: a suspended site has none, and a restart begins a new one."}
	}
	for _, c := range newest.Status.ContainerStatuses {
		switch {
		case c.Name != at.Container:
		case at.Previous && c.LastTerminationState.Terminated == nil:
			return "", &hosting.Error{Code: hosting.Conflict, Message: "The program has not ended since its pod began, so there is no earlier log."}
		case !at.Previous && c.ContainerID == "":
			return "", &hosting.Error{Code: hosting.Conflict, Message: "The program has not started yet.", Mend: "Try again in a moment."}
		default:
			return newest.Name, nil
		}
	}
	return "", &hosting.Error{Code: hosting.Conflict, Message: "The pod has not started yet.", Mend: "Try again in a moment."}
}

// eachLine gives each line of a stream of kubelet's to see, with the time that stands
// before it.
func eachLine(stream io.Reader, see func(time.Time, string) error) error {
	r := bufio.NewReaderSize(stream, maxLogLine+len(time.RFC3339Nano)+1)
	for {
		line, more, err := r.ReadLine()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a log: %w", err)
		}
		at, text := logLine(line)
		for more && err == nil {
			_, more, err = r.ReadLine() // the rest of a line that is too long
		}
		if err := see(at, text); err != nil {
			return err
		}
	}
}

// logLine takes a line of kubelet's apart, and makes it one that is safe to be shown:
// without escapes for terminals and whatever is no text.
func logLine(line []byte) (at time.Time, text string) {
	stamp, text, _ := strings.Cut(string(line), " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		text = string(line)
	}
	return at, plain(text)
}

// plain leaves out what only terminals understand (ECMA-48's control sequences) and
// characters that are none.
func plain(text string) string {
	var b strings.Builder
	escape := false
	for _, r := range strings.ToValidUTF8(text, "\ufffd") {
		switch {
		case r == '\x1b':
			escape = true
		case escape && (r < '@' || r > '~' || r == '['):
		case escape:
			escape = false
		case r == '\t' || r >= ' ' && r != '\x7f':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// rawClient speaks to what no typed client of controller-runtime does: pods' logs.
func rawClient(config *rest.Config, scheme *runtime.Scheme) (rest.Interface, error) {
	config = rest.CopyConfig(config)
	config.APIPath, config.GroupVersion = "/api", &corev1.SchemeGroupVersion
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	c, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for logs at %s: %w", config.Host, err)
	}
	return c, nil
}
