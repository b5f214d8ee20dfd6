package service

import (
	"context"
	"slices"
	"strconv"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
)

const (
	// inPlace is the one parameter of a StorageClass; see pool.Wanted.
	inPlace = "writeInPlace"
	// defaultSize is that of a volume for which none is asked, in bytes.
	defaultSize = 1 << 30
	// sector: sizes are multiples of btrfs' own.
	sector = 4096
)

// CreateVolume makes a volume, empty or from another or a snapshot.
func (s *Service) CreateVolume(ctx context.Context, r *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	wanted, err := s.wanted(r)
	if err != nil {
		return nil, err
	}
	volume, err := s.Pool.Make(ctx, wanted)
	if err != nil {
		return nil, failure(err)
	}
	return &csi.CreateVolumeResponse{Volume: s.describe(volume, r.GetVolumeContentSource())}, nil
}

// wanted reads a request.
func (s *Service) wanted(r *csi.CreateVolumeRequest) (pool.Wanted, error) {
	if err := missing("name", r.GetName()); err != nil {
		return pool.Wanted{}, err
	}
	if len(r.GetVolumeCapabilities()) == 0 {
		return pool.Wanted{}, status.Error(codes.InvalidArgument, "volume_capabilities is missing")
	}
	if why := unusable(r.GetVolumeCapabilities()); why != "" {
		return pool.Wanted{}, status.Error(codes.InvalidArgument, why)
	}
	if !s.reaches(r.GetAccessibilityRequirements()) {
		return pool.Wanted{}, status.Errorf(codes.ResourceExhausted, "the pool of node %s can't be reached from where the volume is wanted", s.Node)
	}
	wanted := pool.Wanted{ID: pool.ID(r.GetName())}
	var err error
	if wanted.InPlace, err = parameters(r.GetParameters()); err != nil {
		return pool.Wanted{}, err
	}
	if wanted.AtLeast, wanted.AtMost, err = sizes(r.GetCapacityRange()); err != nil {
		return pool.Wanted{}, err
	}
	wanted.From, err = s.from(r.GetVolumeContentSource(), &wanted)
	return wanted, err
}

// from finds what a volume is to begin with. It is at least as large as that.
func (s *Service) from(source *csi.VolumeContentSource, wanted *pool.Wanted) (string, error) {
	var id string
	var size int64
	switch {
	case source == nil:
		return "", nil
	case source.GetSnapshot() != nil:
		snapshot, err := s.Pool.Snapshot(source.GetSnapshot().GetSnapshotId())
		if err != nil {
			return "", failure(err)
		}
		id, size = snapshot.ID, snapshot.Size
	case source.GetVolume() != nil:
		volume, err := s.Pool.Volume(source.GetVolume().GetVolumeId())
		if err != nil {
			return "", failure(err)
		}
		id, size = volume.ID, volume.Size
	default:
		return "", status.Error(codes.InvalidArgument, "volume_content_source is of no kind that is known")
	}
	if wanted.AtMost > 0 && wanted.AtMost < size {
		return "", status.Errorf(codes.OutOfRange, "%d bytes are asked for at most and %s has %d", wanted.AtMost, id, size)
	}
	wanted.AtLeast = max(wanted.AtLeast, size)
	return id, nil
}

func parameters(given map[string]string) (write bool, err error) {
	for name, value := range given {
		if name != inPlace {
			return false, status.Errorf(codes.InvalidArgument, "StorageClass: there is no parameter %q (there is %q)", name, inPlace)
		}
		if write, err = strconv.ParseBool(value); err != nil {
			return false, status.Errorf(codes.InvalidArgument, "StorageClass: parameter %s is %q: use \"true\" or \"false\"", name, value)
		}
	}
	return write, nil
}

// sizes reads a range of bytes and rounds its lower end up to whole sectors.
func sizes(r *csi.CapacityRange) (least, most int64, err error) {
	least, most = r.GetRequiredBytes(), r.GetLimitBytes()
	if least < 0 || most < 0 || (most > 0 && least > most) {
		return 0, 0, status.Errorf(codes.OutOfRange, "capacity_range %d to %d bytes is none", least, most)
	}
	if least == 0 {
		least = defaultSize
		if most > 0 {
			least = min(least, most)
		}
	}
	whole := (least + sector - 1) / sector * sector
	if whole < least || (most > 0 && whole > most) {
		return 0, 0, status.Errorf(codes.OutOfRange, "capacity_range %d to %d bytes holds no multiple of %d", least, most, sector)
	}
	return whole, most, nil
}

// reaches tells whether a volume of this pool serves where it is wanted.
func (s *Service) reaches(wanted *csi.TopologyRequirement) bool {
	if len(wanted.GetRequisite()) == 0 {
		return true
	}
	return slices.ContainsFunc(wanted.GetRequisite(), func(t *csi.Topology) bool { return t.GetSegments()[topologyKey] == s.Node })
}

func (s *Service) describe(v pool.Volume, from *csi.VolumeContentSource) *csi.Volume {
	return &csi.Volume{
		VolumeId: v.ID, CapacityBytes: v.Size, ContentSource: from,
		AccessibleTopology: []*csi.Topology{{Segments: map[string]string{topologyKey: s.Node}}},
	}
}

// DeleteVolume removes a volume for good.
func (s *Service) DeleteVolume(ctx context.Context, r *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	if err := s.Pool.Remove(ctx, r.GetVolumeId()); err != nil {
		return nil, failure(err)
	}
	return &csi.DeleteVolumeResponse{}, nil
}

// ControllerExpandVolume makes a volume larger. That is all: pods see it at once.
func (s *Service) ControllerExpandVolume(ctx context.Context, r *csi.ControllerExpandVolumeRequest) (*csi.ControllerExpandVolumeResponse, error) {
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	if r.GetCapacityRange() == nil {
		return nil, status.Error(codes.InvalidArgument, "capacity_range is missing")
	}
	least, most, err := sizes(r.GetCapacityRange())
	if err != nil {
		return nil, err
	}
	size, err := s.Pool.Resize(ctx, r.GetVolumeId(), least)
	if err != nil {
		return nil, failure(err)
	}
	if most > 0 && size > most {
		return nil, status.Errorf(codes.OutOfRange, "volume %s has %d bytes, and at most %d are asked for: volumes don't shrink", r.GetVolumeId(), size, most)
	}
	return &csi.ControllerExpandVolumeResponse{CapacityBytes: size}, nil
}
