"""One folder per platform, behind the protocol of `messaging.channel`."""
