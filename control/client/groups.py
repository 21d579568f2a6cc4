"""Rules of groups, sites of devices, and groups that are no longer needed."""

from control.client.requests import Requests, only_if, word
from control.views.filters import MatchView
from control.views.fleet import DeviceView, GroupRuleRequest, GroupView, SiteRequest


class GroupCalls(Requests):
    """Rules of groups, sites of devices, and groups that are no longer needed."""

    def set_rule(self, group: str, rule: str | None, *, if_match: str | None = None) -> GroupView:
        """Let a rule choose the members; without one, operators do."""
        request = GroupRuleRequest.model_construct(rule=rule)
        return self.send(GroupView, f"/v1/groups/{word(group)}/rule", request, method="PUT", if_match=if_match)

    def why_member(self, group: str, device: str) -> MatchView:
        """Why a device is, or is not, in a dynamic group."""
        return self.one(MatchView, "GET", f"/v1/groups/{word(group)}/matches/{word(device)}")

    def delete_group(self, name: str, *, if_match: str | None = None) -> None:
        """Remove a group."""
        self.request("DELETE", f"/v1/groups/{word(name)}", headers=only_if(if_match))

    def set_site(self, device: str, site: str | None) -> DeviceView:
        """Say where a device stands."""
        return self.send(
            DeviceView, f"/v1/devices/{word(device)}/site", SiteRequest.model_construct(site=site), method="PUT"
        )
