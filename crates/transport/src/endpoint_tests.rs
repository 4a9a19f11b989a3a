//! The grammar of endpoints: what parses, what it means, and what is refused with which words.

use super::*;
