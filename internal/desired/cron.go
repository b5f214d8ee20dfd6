package desired

import (
	"fmt"
	"hash/fnv"
	"maps"
	"strings"

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"kubepanel.io/kubepanel/api/v1alpha1"
)

// containerCron stands for all cron jobs of a site where its resources are split. It
// is the name of their one container, too.
const containerCron = "cron"

// Bounds of cron jobs.
const (
	// cronLate is how long after its time a run may still begin, in seconds: long
	// enough for a control plane that was away, short enough to be what was asked for.
	cronLate = 300
	// cronKept is how many runs of each outcome are kept, with their output.
	cronKept = 3
	// cronWait is how long a run may wait for room, in seconds: the runs of a site
	// share one pod's worth of resources.
	cronWait = 3600
	// cronTimeout is what the API fills in, in seconds.
	cronTimeout = 3600
)

// cronJobs tells whether the site has any, and something to run them with.
func (s Site) cronJobs() bool { return len(s.Domain.Spec.CronJobs) > 0 && !s.static() }

// CheckCron says what is wrong with a cron job, in one sentence that names the field.
// The schedule is read by the library that Kubernetes itself reads it with.
func CheckCron(j v1alpha1.CronJob) error {
	if _, err := cron.ParseStandard(j.Schedule); err != nil || strings.HasPrefix(j.Schedule, "@every") || strings.Contains(j.Schedule, "TZ") {
		return fmt.Errorf("spec.cronJobs[%s].schedule: %q is no schedule; give five fields, such as 30 4 * * *", j.Name, j.Schedule)
	}
	return nil
}

// CronJob returns the CronJob of one of the site's.
func (s Site) CronJob(j v1alpha1.CronJob) (*batchv1.CronJob, error) {
	if err := CheckCron(j); err != nil {
		return nil, err
	}
	pod, err := s.cronPod(j)
	if err != nil {
		return nil, err
	}
	labels := s.cronLabels(j.Name)
	meta := s.meta(j.Name)
	meta.Labels = labels
	return &batchv1.CronJob{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "CronJob"},
		ObjectMeta: meta,
		Spec: batchv1.CronJobSpec{
			Schedule: j.Schedule, TimeZone: ptr.To(orDefault(j.Timezone, s.timezone())),
			ConcurrencyPolicy: batchv1.ForbidConcurrent, StartingDeadlineSeconds: ptr.To[int64](cronLate),
			Suspend:                    ptr.To(j.Suspended || s.Domain.Spec.Suspended),
			SuccessfulJobsHistoryLimit: ptr.To[int32](cronKept), FailedJobsHistoryLimit: ptr.To[int32](cronKept),
			JobTemplate: batchv1.JobTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: s.annotations()},
				Spec: batchv1.JobSpec{
					// A run is tried once: whether it may be repeated, only its command knows.
					BackoffLimit:          ptr.To[int32](0),
					ActiveDeadlineSeconds: ptr.To(cronSeconds(j) + cronWait),
					Template:              corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: s.annotations()}, Spec: pod},
				},
			},
		},
	}, nil
}

// CronRun returns the Job of a run that somebody asked for, named after the asking, so
// that it is made once. from is the live CronJob, whose history it becomes part of.
func (s Site) CronRun(from *batchv1.CronJob, asked string) *batchv1.Job {
	sum := fnv.New32a()
	sum.Write([]byte(asked))
	annotations := maps.Clone(from.Spec.JobTemplate.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations["cronjob.kubernetes.io/instantiate"] = "manual"
	return &batchv1.Job{
		TypeMeta: metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("%s-%08x", from.Name, sum.Sum32()), Namespace: from.Namespace,
			Labels: from.Spec.JobTemplate.Labels, Annotations: annotations,
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "CronJob", Name: from.Name, UID: from.UID, Controller: ptr.To(true),
			}},
		},
		Spec: *from.Spec.JobTemplate.Spec.DeepCopy(),
	}
}

// cronObjects are all objects of cron jobs; a site without them has none.
func (s Site) cronObjects() ([]runtime.Object, error) {
	if !s.cronJobs() {
		return nil, nil
	}
	var objects []runtime.Object
	for _, j := range s.Domain.Spec.CronJobs {
		job, err := s.CronJob(j)
		if err != nil {
			return nil, err
		}
		objects = append(objects, job)
	}
	return objects, nil
}

func (s Site) cronLabels(name string) map[string]string {
	labels := s.labels()
	labels[v1alpha1.LabelComponent] = v1alpha1.ComponentCron
	labels[v1alpha1.LabelCronJob] = name
	return labels
}

func cronSeconds(j v1alpha1.CronJob) int64 {
	if j.TimeoutSeconds > 0 {
		return int64(j.TimeoutSeconds)
	}
	return cronTimeout
}

// cronPod is as confined as the site's own pod, and sees of it what its program does:
// files, variables, configuration and database.
func (s Site) cronPod(j v1alpha1.CronJob) (corev1.PodSpec, error) {
	resources, err := s.containerResources()
	if err != nil {
		return corev1.PodSpec{}, err
	}
	c := corev1.Container{
		Name: containerCron, Image: s.image(), Command: cronCommand(j), Env: s.cronEnv(j), WorkingDir: pathData,
		Resources: resources[containerCron],
		VolumeMounts: mounts(containerCron, writable(VolumeName, pathData), writable(volumeRun, pathRun),
			readOnly(volumeApp, pathAppConfig), readOnly(volumeDatabase, pathDatabase)),
	}
	s.boundScratch(&c)
	finish(&c)
	spec := s.confinedPod()
	spec.RestartPolicy = corev1.RestartPolicyNever
	spec.ActiveDeadlineSeconds = ptr.To(cronSeconds(j))
	spec.Containers = []corev1.Container{c}
	spec.Volumes = []corev1.Volume{
		{Name: VolumeName, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: VolumeName}}},
		emptyDir(volumeRun, runSize), emptyDir(volumeTmp, cronScratch),
		configVolume(volumeApp, configApp), optional(secretVolume(volumeDatabase, SecretDatabase)),
	}
	// The volume can be mounted on one node, and that is where the site is.
	spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
			LabelSelector: &metav1.LabelSelector{MatchLabels: s.selector()}, TopologyKey: corev1.LabelHostname,
		}},
	}}
	return spec, nil
}

// cronScratch is the room of /tmp of a run.
const cronScratch = "256Mi"

// cronCommand is what the container runs. Kubernetes reads $(X) in it as a variable of
// ours and $$ as one dollar sign, which nobody meant.
func cronCommand(j v1alpha1.CronJob) []string {
	command := j.Command
	if j.Shell != "" {
		command = []string{"/bin/sh", "-c", j.Shell}
	}
	escaped := make([]string, len(command))
	for i, word := range command {
		escaped[i] = strings.ReplaceAll(word, "$", "$$")
	}
	return escaped
}

// cronEnv is that of the site's program, with the time zone in which the job is
// thought.
func (s Site) cronEnv(j v1alpha1.CronJob) []corev1.EnvVar {
	env := []corev1.EnvVar{{Name: envTimezone, Value: orDefault(j.Timezone, s.timezone())}}
	for _, e := range s.env() {
		if e.Name != envTimezone {
			env = append(env, e)
		}
	}
	return env
}
