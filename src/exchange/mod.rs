//! One request from send to end: frames become events, events become a timeline, limits are kept.
