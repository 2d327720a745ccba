/* version.h - the version of both programs. */
#pragma once

#define PROCLEDGER_VERSION "0.1.0"
