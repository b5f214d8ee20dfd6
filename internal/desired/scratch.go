package desired

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// scratchEach is what each container may write on the node's disk outside of all
// volumes. Its file system is read-only, so that is its log, which kubelet turns every
// 10 s at 5 MiB: what is more than this is a flood.
const scratchEach = 512 << 20

// boundScratch limits what a container writes on the node's disk, and by that what
// the pod does: kubelet ends one whose logs and emptyDirs together exceed the sum of
// its containers' limits, or in which one container's log exceeds its own. The room
// of what they share counts with nginx, which runs no program of the customer's. It
// asks for nothing, since nearly all sites use next to nothing of it.
func (s Site) boundScratch(c *corev1.Container) {
	limit := int64(scratchEach)
	switch c.Name {
	case containerNginx:
		limit += s.sharedScratch()
	case containerCron:
		tmp := resource.MustParse(cronScratch)
		limit += tmp.Value()
	}
	c.Resources.Limits[corev1.ResourceEphemeralStorage] = *resource.NewQuantity(limit, resource.BinarySI)
	c.Resources.Requests[corev1.ResourceEphemeralStorage] = *resource.NewQuantity(0, resource.BinarySI)
}

// sharedScratch is the room of the folders that the containers share.
func (s Site) sharedScratch() int64 {
	tmp, run := resource.MustParse(s.tmpSize()), resource.MustParse(runSize)
	return tmp.Value() + run.Value()
}

// scratch is what all containers of the pod may write together.
func (s Site) scratch() *resource.Quantity {
	containers := 1 + int64(len(s.helpers()))
	if s.Domain.Spec.Redis.Enabled {
		containers++
	}
	shared := s.sharedScratch()
	if s.cronJobs() {
		containers++
		tmp := resource.MustParse(cronScratch)
		shared += tmp.Value()
	}
	return resource.NewQuantity(containers*scratchEach+shared, resource.BinarySI)
}
