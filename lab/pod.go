package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/remotecommand"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// execLimit ends a command in a pod that hangs.
const execLimit = time.Minute

// execute runs a program in a container, like kubectl exec. The error tells what
// it wrote to standard error.
func (c *cluster) execute(ctx context.Context, pod *corev1.Pod, container string, in io.Reader, command ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, execLimit)
	defer cancel()
	request := c.clientset.CoreV1().RESTClient().Post().
		Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{
			Container: container, Command: command, Stdin: in != nil, Stdout: true, Stderr: true,
		}, scheme.ParameterCodec)
	executor, err := remotecommand.NewWebSocketExecutor(c.config, "GET", request.URL().String())
	if err != nil {
		return "", err
	}
	var stdout, stderr bytes.Buffer
	err = executor.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: in, Stdout: &stdout, Stderr: &stderr})
	if err != nil {
		return stdout.String(), fmt.Errorf("%s in %s/%s: %w: %s%s", command[0], pod.Namespace, pod.Name, err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// runningPod finds the one pod with these labels that is ready and not leaving.
func (c *cluster) runningPod(ctx context.Context, namespace string, labels client.MatchingLabels) (*corev1.Pod, error) {
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(namespace), labels); err != nil {
		return nil, err
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.DeletionTimestamp == nil && isReady(pod) {
			return pod, nil
		}
	}
	return nil, fmt.Errorf("none of %d pods in %s is ready", len(pods.Items), namespace)
}

func isReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// mariadb runs one statement as the database's root and returns its rows. Root's
// password never leaves the database's pod, so the client runs in there.
func (c *cluster) mariadb(t testing.TB, statement string) []string {
	t.Helper()
	rows, err := c.queryMariaDB(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func (c *cluster) queryMariaDB(ctx context.Context, statement string) ([]string, error) {
	pod, err := c.runningPod(ctx, platformNamespace, client.MatchingLabels{"app.kubernetes.io/name": "mariadb"})
	if err != nil {
		return nil, fmt.Errorf("find the database: %w", err)
	}
	// A fixed script: the statement is an argument of it, never part of it.
	const script = `MYSQL_PWD=$(cat /run/secrets/mariadb-auth/password) exec mariadb --socket=/run/mariadb/mariadb.sock --user=root --batch --skip-column-names --execute "$1"`
	out, err := c.execute(ctx, pod, "mariadb", nil, "sh", "-c", script, "sh", statement)
	if err != nil {
		return nil, err
	}
	return lines(out), nil
}

// lines splits what a program printed and leaves out empty lines.
func lines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// lastLog returns the last lines that a container wrote.
func (c *cluster) lastLog(ctx context.Context, pod *corev1.Pod, container string, count int64) (string, error) {
	stream, err := c.clientset.CoreV1().Pods(pod.Namespace).
		GetLogs(pod.Name, &corev1.PodLogOptions{Container: container, TailLines: &count}).Stream(ctx)
	if err != nil {
		return "", err
	}
	defer stream.Close()
	text, err := io.ReadAll(io.LimitReader(stream, 1<<20))
	return string(text), errors.Join(err)
}
