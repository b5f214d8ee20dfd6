package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// victim is a kind of process that a fault run kills. Its programs are the names
// of the processes (proc(5), comm), by their beginnings.
type victim struct {
	name     string
	programs []string
	// pod finds the pod by label app.kubernetes.io/name; a site's is taken at random.
	// Without a pod the process is one of the node's own.
	pod string
}

// podOfASite stands for the pod of any site.
const podOfASite = "kubepanel-site"

// victims are all that the platform and its sites stand on, but for the API server
// and etcd, whose loss the node tool's own tests are about.
var victims = []victim{
	{"operator", []string{"kubepanel"}, "kubepanel-operator"},
	{"edge", []string{"edge", "kubepanel"}, "kubepanel-edge"},
	{"mariadb", []string{"mariadbd"}, "mariadb"},
	{"toolbox", []string{"toolbox"}, podOfASite},
	{"nginx", []string{"nginx"}, podOfASite},
	{"php", []string{"php-fpm"}, podOfASite},
	{"keeper", []string{"keeper"}, podOfASite},
	{"kubelet", []string{"kubelet"}, ""},
	{"containerd", []string{"containerd"}, ""},
}

// strike is one kill of a fault run.
type strike struct {
	at     time.Duration // since the start
	victim victim
	// luck chooses among several processes that fit.
	luck uint64
}

// Between two strikes the platform has this long; most of what is killed needs
// longer to come back, so that troubles overlap.
const (
	shortestPause = 3 * time.Second
	longestPause  = 12 * time.Second
)

// strikes is the schedule of a fault run: the same for the same seed.
func strikes(seed uint64, length time.Duration) []strike {
	random := rand.New(rand.NewPCG(seed, 1))
	var all []strike
	at := time.Duration(0)
	for {
		at += shortestPause + time.Duration(random.Int64N(int64(longestPause-shortestPause)))
		if at >= length {
			return all
		}
		all = append(all, strike{at: at, victim: victims[random.IntN(len(victims))], luck: random.Uint64()})
	}
}

// hit kills the processes of a strike with SIGKILL and returns how many there were.
func (c *cluster) hit(ctx context.Context, s strike) (int, error) {
	all, err := processes()
	if err != nil {
		return 0, err
	}
	var found []process
	if s.victim.pod == "" {
		p, err := c.nodeProcess(all, s.victim.programs[0])
		if err != nil {
			return 0, err
		}
		found = append(found, p)
	} else {
		pod, err := c.podToHit(ctx, s)
		if err != nil {
			return 0, err
		}
		found, _ = podProcesses(all, string(pod.UID))
	}
	killed := 0
	for _, p := range found {
		if !s.victim.is(p) {
			continue
		}
		if err := unix.Kill(p.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return killed, fmt.Errorf("kill %s: %w", p.name, err)
		}
		killed++
	}
	return killed, nil
}

func (v victim) is(p process) bool {
	for _, program := range v.programs {
		if strings.HasPrefix(p.name, program) {
			return true
		}
	}
	return false
}

// podToHit finds the pod of a strike, whatever state it is in.
func (c *cluster) podToHit(ctx context.Context, s strike) (*corev1.Pod, error) {
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.MatchingLabels{v1alpha1.LabelName: s.victim.pod}); err != nil {
		return nil, err
	}
	if len(pods.Items) == 0 {
		return nil, fmt.Errorf("there is no pod of %s", s.victim.name)
	}
	return &pods.Items[s.luck%uint64(len(pods.Items))], nil
}
