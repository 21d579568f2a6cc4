"""Who is there: enrolment, check-in, groups, and the devices' broker users."""
