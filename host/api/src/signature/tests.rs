mod published;
mod strict;
