package desired

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// pathKeeper is the program that runs nginx and PHP-FPM in the platform's images
// and has them take changed configuration over.
const pathKeeper = "/usr/local/bin/keeper"

// pathToolbox is the program in the toolbox and wordpress images, which have no
// other.
const pathToolbox = "/usr/local/bin/toolbox"

// containers returns the init containers and the containers of the site's pod.
func (s Site) containers() (inits, containers []corev1.Container, err error) {
	resources, err := s.containerResources()
	if err != nil {
		return nil, nil, err
	}
	if s.wordPress() {
		root, err := DocumentRoot(s.Domain)
		if err != nil {
			return nil, nil, err
		}
		inits = []corev1.Container{s.filesInit(root), s.installInit(root)}
	}
	containers = append(s.programs(), s.nginx(), s.toolbox())
	if s.Domain.Spec.Redis.Enabled {
		containers = append(containers, s.redis(resources[containerRedis]))
	}
	for i := range inits {
		// They run before the others and one at a time, so each has what all of those have.
		inits[i].Resources = s.podResources(resources[containerCron])
		s.boundScratch(&inits[i])
		finish(&inits[i])
	}
	for i := range containers {
		containers[i].Resources = resources[containers[i].Name]
		s.boundScratch(&containers[i])
		finish(&containers[i])
	}
	return inits, containers, nil
}

// finish sets what all containers share.
func finish(c *corev1.Container) {
	c.ImagePullPolicy = corev1.PullIfNotPresent
	c.SecurityContext = confined()
	// The last lines of the log tell why it ended; the operator shows them.
	c.TerminationMessagePolicy = corev1.TerminationMessageFallbackToLogsOnError
	c.TerminationMessagePath = corev1.TerminationMessagePathDefault
}

func (s Site) app() corev1.Container {
	w := s.Domain.Spec.Workload
	c := corev1.Container{
		Name: containerApp, Image: s.image(), Command: w.Command, Args: w.Args, Env: s.env(),
		WorkingDir: pathData,
		VolumeMounts: mounts(containerApp,
			writable(VolumeName, pathData), writable(volumeRun, pathRun), readOnly(volumeApp, pathAppConfig),
			readOnly(volumeDatabase, pathDatabase)),
	}
	switch {
	case s.keptApp():
		c.Command = []string{pathKeeper, "php-fpm", "--config=" + pathAppConfig, "--status=" + pathAppStatus, "--socket=" + pathPHPSocket}
	case len(w.Command) == 0 && len(w.Args) == 0 && s.php():
		c.Command = []string{"/usr/sbin/php-fpm", "-F", "-O", "-y", pathAppConfig + "/" + keyFPM}
	}
	return c
}

// keptApp tells whether a keeper runs the application, so that it takes changed
// configuration over without a restart. A customer's own image may have none.
func (s Site) keptApp() bool { return s.php() && s.platformApp() }

// platformApp tells whether the application is started by the platform's own
// image and command, which follow changed configuration by themselves.
func (s Site) platformApp() bool {
	w := s.Domain.Spec.Workload
	if len(w.Command) > 0 || len(w.Args) > 0 {
		return false
	}
	for _, v := range s.runtime().Versions {
		if v.Image == s.image() {
			return true
		}
	}
	return false
}

// Variables that the platform sets.
const (
	envScanDir  = "PHP_INI_SCAN_DIR"
	envTimezone = "TZ"
)

// env is the customer's own, and ours where the two have a variable in common.
func (s Site) env() []corev1.EnvVar {
	ours := s.runtimeEnv()
	var env []corev1.EnvVar
	for _, e := range s.Domain.Spec.Workload.Env {
		taken := slices.ContainsFunc(ours, func(o corev1.EnvVar) bool { return o.Name == e.Name })
		if !taken && e.Name != envTimezone {
			// Kubernetes would replace $(X), and reads $$ as one dollar sign.
			env = append(env, corev1.EnvVar{Name: e.Name, Value: strings.ReplaceAll(e.Value, "$", "$$")})
		}
	}
	return append(env, ours...)
}

func (s Site) nginx() corev1.Container {
	probe := func(path string, period, failures int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:     corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt32(portHTTP), Scheme: corev1.URISchemeHTTP, HTTPHeaders: s.probeHeaders()}},
			PeriodSeconds:    period,
			FailureThreshold: failures, SuccessThreshold: 1, TimeoutSeconds: 5,
		}
	}
	return corev1.Container{
		Name: containerNginx, Image: s.Platform.Images.Nginx,
		Command: []string{pathKeeper, "nginx", "--config=" + pathNginxConfig, "--status=" + pathNginxStatus},
		Ports:   []corev1.ContainerPort{{Name: portNameHTTP, ContainerPort: portHTTP, Protocol: corev1.ProtocolTCP}},
		VolumeMounts: mounts(containerNginx,
			readOnly(VolumeName, pathData), readOnly(volumeRun, pathRun), readOnly(volumeNginx, pathNginxConfig)),
		// Every second until it answers, so that a site is live at once; then seldom,
		// since thousands of sites ask the same of one kubelet.
		StartupProbe:   probe(pathStarted, 1, 600),
		ReadinessProbe: probe(pathReady, 10, 2),
	}
}

// toolbox gives access to the files, makes the document root when it is missing,
// and starts WordPress' scheduler.
func (s Site) toolbox() corev1.Container {
	c := corev1.Container{
		Name: containerSFTP, Image: s.Platform.Images.Toolbox,
		Command: []string{
			pathToolbox, "serve", "--root=" + pathData, "--credentials=" + pathSFTP, "--listen=" + s.sftpListen(),
		},
		VolumeMounts: mounts(containerSFTP,
			writable(VolumeName, pathData), readOnly(volumeSFTP, pathSFTP)),
	}
	if s.wordPress() {
		c.Command = append(c.Command, "--wordpress-cron="+s.Platform.Edge.URL(s.name()))
	}
	if days := s.Platform.SFTP.TrashDays; days != nil {
		c.Command = append(c.Command, fmt.Sprintf("--trash-days=%d", *days))
	}
	if !s.sftpEnabled() {
		return c
	}
	if s.shell() {
		s.withShell(&c)
	}
	c.Ports = []corev1.ContainerPort{{Name: "sftp", ContainerPort: portSFTP, Protocol: corev1.ProtocolTCP}}
	c.StartupProbe = &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(portSFTP)}},
		PeriodSeconds: 1, FailureThreshold: 600, SuccessThreshold: 1, TimeoutSeconds: 5,
	}
	return c
}

// sftpListen is empty when nobody shall come in.
func (s Site) sftpListen() string {
	if !s.sftpEnabled() {
		return ""
	}
	return fmt.Sprintf(":%d", portSFTP)
}

func (s Site) redis(r corev1.ResourceRequirements) corev1.Container {
	// A quarter is left for the program itself and what it needs beside the data.
	memory := r.Limits[corev1.ResourceMemory]
	return corev1.Container{
		Name: containerRedis, Image: s.Platform.Images.Redis,
		Command: []string{
			"redis-server", "/etc/redis/kubepanel.conf", "--maxmemory", fmt.Sprint(memory.Value() * 3 / 4),
		},
		VolumeMounts: mounts(containerRedis, writable(volumeRun, pathRun)),
		// Only at the start: an exec for ever would cost more than the cache saves.
		StartupProbe: &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{
				Command: []string{"redis-cli", "-s", pathRun + "/redis.sock", "ping"},
			}},
			PeriodSeconds: 1, FailureThreshold: 600, SuccessThreshold: 1, TimeoutSeconds: 5,
		},
	}
}

// filesInit puts WordPress' files into the document root, from an image that has
// nothing else.
func (s Site) filesInit(root string) corev1.Container {
	c := corev1.Container{
		Name: initFiles, Image: s.Platform.Images.WordPress,
		Command:      []string{pathToolbox, "wordpress", "files", "--from=/usr/share/wordpress", "--to=" + root},
		VolumeMounts: mounts(initFiles, writable(VolumeName, pathData), readOnly(volumeApp, pathAppConfig)),
	}
	if s.Domain.Spec.Redis.Enabled {
		c.Command = append(c.Command, "--object-cache")
	}
	return c
}

// installInit makes the tables and the administrator, so that nobody ever meets an
// open installer.
func (s Site) installInit(root string) corev1.Container {
	return corev1.Container{
		Name: initInstall, Image: s.image(),
		Command: []string{"php", "/usr/share/kubepanel/wordpress-install.php", root},
		Env:     s.env(), WorkingDir: pathData,
		VolumeMounts: mounts(initInstall,
			writable(VolumeName, pathData), writable(volumeRun, pathRun), readOnly(volumeApp, pathAppConfig),
			readOnly(volumeDatabase, pathDatabase), readOnly(volumeWordPress, pathWordPressAdmin)),
	}
}

// containerResources splits the spec's resources over the containers.
func (s Site) containerResources() (map[string]corev1.ResourceRequirements, error) {
	helpers := s.helpers()
	if s.Domain.Spec.Redis.Enabled {
		helpers = append(helpers, containerRedis)
	}
	if s.cronJobs() {
		helpers = append(helpers, containerCron)
	}
	limits := s.Domain.Spec.Resources.Limits
	limitCPU, err := split("cpu (millicores)", amount(limits.CPU, "m"), s.shares(cpuShares, shellCPU), helpers, leastCPU)
	if err != nil {
		return nil, err
	}
	limitMemory, err := split("memory (MiB)", amount(limits.Memory, "Mi"), s.shares(memoryShares, shellMemory), helpers, leastMemory)
	if err != nil {
		return nil, err
	}
	cpu, memory := s.requests()
	requestCPU, requestMemory := proportional(cpu, limitCPU), proportional(memory, limitMemory)
	resources := map[string]corev1.ResourceRequirements{}
	for _, name := range append(helpers, containerApp) {
		resources[name] = corev1.ResourceRequirements{
			Requests: quantities(requestCPU[name], requestMemory[name]),
			Limits:   quantities(limitCPU[name], limitMemory[name]),
		}
	}
	if s.static() {
		resources[containerNginx] = resources[containerApp]
	}
	return resources, nil
}

// podResources is what all containers of the site's pod together have: all but the share
// of cron jobs, whose pods find no room while this one counts for more.
func (s Site) podResources(cron corev1.ResourceRequirements) corev1.ResourceRequirements {
	limits := s.Domain.Spec.Resources.Limits
	return corev1.ResourceRequirements{
		Requests: less(quantities(s.requests()), cron.Requests),
		Limits:   less(quantities(amount(limits.CPU, "m"), amount(limits.Memory, "Mi")), cron.Limits),
	}
}

// less takes a part away from a whole.
func less(whole, part corev1.ResourceList) corev1.ResourceList {
	for name, rest := range whole {
		rest.Sub(part[name])
		whole[name] = rest
	}
	return whole
}

func quantities(cpu, memory int64) corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(cpu, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(memory*1024*1024, resource.BinarySI),
	}
}
