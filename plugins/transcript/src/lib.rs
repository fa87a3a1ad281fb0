//! Conversations as text.
