"""What Bitbucket Cloud and Bitbucket Data Center have alike in their APIs."""
