//! AWS facts that overgrant embeds.
