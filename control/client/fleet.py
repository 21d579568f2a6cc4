"""Groups, devices and how they enrol."""

from collections.abc import Iterator

from control.client.requests import Requests, Tagged, word
from control.views.access import (
    EnrollmentTokenRequest,
    EnrollmentTokenView,
    KnownEnrollmentTokenView,
)
from control.views.calls import SyncReply, SyncRequest
from control.views.fleet import DeviceDetail, DeviceView, GroupRequest, GroupView, ReplacementRequest, RetiredDeviceView
from control.views.jobs import JobDetail


class FleetCalls(Requests):
    """Groups, devices and how they enrol."""

    def create_group(self, name: str, rule: str | None = None) -> GroupView:
        """Make a group, empty or with the devices that match a rule."""
        return self.send(GroupView, "/v1/groups", GroupRequest.model_construct(name=name, rule=rule))

    def groups(self) -> Iterator[GroupView]:
        """All groups."""
        return self.pages(GroupView, "/v1/groups")

    def group(self, name: str) -> Tagged[GroupView]:
        """One group."""
        return self.tagged(GroupView, f"/v1/groups/{word(name)}")

    def members(self, group: str) -> Iterator[DeviceView]:
        """The devices in a group."""
        return self.pages(DeviceView, f"/v1/groups/{word(group)}/members")

    def add_member(self, group: str, device: str) -> None:
        """Put a device into a group."""
        self.request("PUT", f"/v1/groups/{word(group)}/members/{word(device)}")

    def remove_member(self, group: str, device: str) -> None:
        """Take a device out of a group."""
        self.request("DELETE", f"/v1/groups/{word(group)}/members/{word(device)}")

    def create_enrollment_token(self, request: EnrollmentTokenRequest) -> EnrollmentTokenView:
        """Make a token that devices enrol with."""
        return self.send(EnrollmentTokenView, "/v1/enrollment-tokens", request)

    def devices(self) -> Iterator[DeviceView]:
        """All devices."""
        return self.pages(DeviceView, "/v1/devices")

    def device(self, name_or_id: str) -> DeviceDetail:
        """One device with its jobs."""
        return self.one(DeviceDetail, "GET", f"/v1/devices/{word(name_or_id)}")

    def device_jobs(self, name_or_id: str) -> Iterator[JobDetail]:
        """All jobs of a device that are not in the archive."""
        return self.pages(JobDetail, f"/v1/devices/{word(name_or_id)}/jobs")

    def enrollment_tokens(self, *, include_void: bool = False) -> Iterator[KnownEnrollmentTokenView]:
        """The tokens that devices may enrol with, without themselves."""
        return self.pages(KnownEnrollmentTokenView, "/v1/enrollment-tokens", all=include_void or None)

    def revoke_enrollment_token(self, token_id: str) -> KnownEnrollmentTokenView:
        """Make a token void; devices that have enrolled with it stay."""
        return self.one(KnownEnrollmentTokenView, "DELETE", f"/v1/enrollment-tokens/{word(token_id)}")

    def sync(self, request: SyncRequest) -> SyncReply:
        """Have devices check in now."""
        return self.send(SyncReply, "/v1/devices/sync", request)

    def retire(self, device: str) -> RetiredDeviceView:
        """Shut a device out for good."""
        return self.one(RetiredDeviceView, "POST", f"/v1/devices/{word(device)}/retire")

    def replace(self, device: str, request: ReplacementRequest) -> EnrollmentTokenView:
        """Make a token for the device that takes this one's place."""
        return self.send(EnrollmentTokenView, f"/v1/devices/{word(device)}/replace", request)
