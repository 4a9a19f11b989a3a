//! Text to bytes and back, as an app's encoding has it.
