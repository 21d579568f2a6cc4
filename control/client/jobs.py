"""Jobs: where they stand, and orders about them."""

from control.client.requests import Requests, word
from control.views.jobs import JobDetail
from control.views.steering import BulkSteeringRequest, SteeringReply, SteeringRequest


class JobCalls(Requests):
    """Jobs: where they stand, and orders about them."""

    def job(self, job_id: str) -> JobDetail:
        """One job."""
        return self.one(JobDetail, "GET", f"/v1/jobs/{word(job_id)}")

    def retry_job(self, job_id: str, request: SteeringRequest) -> SteeringReply:
        """Send a job anew, now."""
        return self.send(SteeringReply, f"/v1/jobs/{word(job_id)}/retry", request)

    def retry_jobs(self, request: BulkSteeringRequest) -> SteeringReply:
        """Send many jobs anew, now."""
        return self.send(SteeringReply, "/v1/jobs/retry", request)

    def detect_job(self, job_id: str, request: SteeringRequest) -> SteeringReply:
        """Have a device judge anew how an app stands."""
        return self.send(SteeringReply, f"/v1/jobs/{word(job_id)}/rerun-detection", request)

    def detect_jobs(self, request: BulkSteeringRequest) -> SteeringReply:
        """Have devices judge anew how their apps stand."""
        return self.send(SteeringReply, "/v1/jobs/rerun-detection", request)

    def cancel_job(self, job_id: str, request: SteeringRequest) -> SteeringReply:
        """Cancel a job."""
        return self.send(SteeringReply, f"/v1/jobs/{word(job_id)}/cancel", request)

    def cancel_jobs(self, request: BulkSteeringRequest) -> SteeringReply:
        """Cancel many jobs."""
        return self.send(SteeringReply, "/v1/jobs/cancel", request)
