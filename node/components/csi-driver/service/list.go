package service

import (
	"context"
	"errors"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"kubepanel.io/kubepanel/node/components/csi-driver/pool"
)

// ListVolumes lists them, by ID.
func (s *Service) ListVolumes(_ context.Context, r *csi.ListVolumesRequest) (*csi.ListVolumesResponse, error) {
	all, err := s.Pool.Volumes()
	if err != nil {
		return nil, failure(err)
	}
	some, next, err := page(all, func(v pool.Volume) string { return v.ID }, r.GetStartingToken(), r.GetMaxEntries())
	if err != nil {
		return nil, err
	}
	answer := &csi.ListVolumesResponse{NextToken: next}
	for _, volume := range some {
		answer.Entries = append(answer.Entries, &csi.ListVolumesResponse_Entry{Volume: s.describe(volume, nil)})
	}
	return answer, nil
}

// CreateSnapshot keeps a volume as it is now.
func (s *Service) CreateSnapshot(ctx context.Context, r *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if err := missing("name", r.GetName(), "source_volume_id", r.GetSourceVolumeId()); err != nil {
		return nil, err
	}
	if len(r.GetParameters()) > 0 {
		return nil, status.Error(codes.InvalidArgument, "VolumeSnapshotClass: there are no parameters")
	}
	snapshot, err := s.Pool.Snap(ctx, r.GetName(), r.GetSourceVolumeId())
	if err != nil {
		return nil, failure(err)
	}
	return &csi.CreateSnapshotResponse{Snapshot: describeSnapshot(snapshot)}, nil
}

// DeleteSnapshot removes a snapshot. Volumes that were made from it keep all they have.
func (s *Service) DeleteSnapshot(ctx context.Context, r *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	if err := missing("snapshot_id", r.GetSnapshotId()); err != nil {
		return nil, err
	}
	if err := s.Pool.RemoveSnapshot(ctx, r.GetSnapshotId()); err != nil {
		return nil, failure(err)
	}
	return &csi.DeleteSnapshotResponse{}, nil
}

// ListSnapshots lists them by ID: all, those of one volume, or one.
func (s *Service) ListSnapshots(_ context.Context, r *csi.ListSnapshotsRequest) (*csi.ListSnapshotsResponse, error) {
	all, err := s.chosen(r.GetSnapshotId())
	if err != nil {
		return nil, failure(err)
	}
	var of []pool.Snapshot
	for _, snapshot := range all {
		if r.GetSourceVolumeId() == "" || snapshot.Volume == r.GetSourceVolumeId() {
			of = append(of, snapshot)
		}
	}
	some, next, err := page(of, func(s pool.Snapshot) string { return s.ID }, r.GetStartingToken(), r.GetMaxEntries())
	if err != nil {
		return nil, err
	}
	answer := &csi.ListSnapshotsResponse{NextToken: next}
	for _, snapshot := range some {
		answer.Entries = append(answer.Entries, &csi.ListSnapshotsResponse_Entry{Snapshot: describeSnapshot(snapshot)})
	}
	return answer, nil
}

func (s *Service) chosen(id string) ([]pool.Snapshot, error) {
	if id == "" {
		return s.Pool.Snapshots()
	}
	snapshot, err := s.Pool.Snapshot(id)
	if errors.Is(err, pool.ErrNotFound) {
		return nil, nil
	}
	return []pool.Snapshot{snapshot}, err
}

func describeSnapshot(s pool.Snapshot) *csi.Snapshot {
	return &csi.Snapshot{
		SnapshotId: s.ID, SourceVolumeId: s.Volume, SizeBytes: s.Size, ReadyToUse: true, CreationTime: timestamppb.New(s.Made),
	}
}

// page cuts from a list what follows the token, which is the ID of the first entry of the next page: entries that come
// and go meanwhile make no other one appear twice.
func page[T any](all []T, id func(T) string, token string, most int32) (some []T, next string, err error) {
	first := 0
	if token != "" {
		for first < len(all) && id(all[first]) != token {
			first++
		}
		if first == len(all) {
			return nil, "", status.Errorf(codes.Aborted, "starting_token %q is of no list that is known: begin anew", token)
		}
	}
	all = all[first:]
	if most > 0 && int(most) < len(all) {
		return all[:most], id(all[most]), nil
	}
	return all, "", nil
}
