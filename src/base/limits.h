#pragma once
// Every bound of the program, in one place, with its unit. Hitting one is an error or a refusal that names it.
#include <cstddef>
#include <cstdint>

namespace base::limits {

// Ids and names.
inline constexpr std::size_t kRunIdBytesMax = 64;
inline constexpr std::size_t kSessionIdBytesMax = 256;
inline constexpr std::size_t kLaunchKeyBytesMax = 512;
inline constexpr std::size_t kNameBytesMax = 1024;

// The run log.
inline constexpr std::size_t kEventBytesMax = 4 << 20;         // one event's JSON text
inline constexpr std::size_t kAppendBytesMax = 512 << 10;      // one append closes at about this size
inline constexpr std::size_t kAppendEventsMax = 1024;          // ... or this many events
inline constexpr std::size_t kAppenderBufferBytesMax = 2 << 20;  // an executor waits when this much is not yet durable
inline constexpr std::size_t kCommitBytesMax = 2 << 20;        // one group commit closes at about this size
inline constexpr std::size_t kCommitOpsMax = 1024;
inline constexpr std::size_t kWriterQueueMax = 65'536;         // operations waiting for the writer thread
inline constexpr std::size_t kSealedBlockBytes = 64 << 10;     // sealing merges small blocks up to this size
inline constexpr std::size_t kSealBlocksMin = 8;               // a finished run with fewer blocks is left as it is
inline constexpr std::size_t kReadBytesMax = 256 << 10;        // one read of a log
inline constexpr std::size_t kLiveCacheBytesPerRun = 256 << 10;  // recent blocks kept in memory for live readers
inline constexpr std::size_t kLiveCacheBytesTotal = 64 << 20;
inline constexpr std::size_t kWalBytesMax = 32 << 20;          // the writer itself checkpoints past this size
inline constexpr std::size_t kCancelIntentsMax = 10'000;       // cancels kept for runs that are not known yet

// Leases. Times in milliseconds.
inline constexpr std::int64_t kLeaseMs = 5'000;
inline constexpr std::int64_t kHeartbeatMs = 1'000;
inline constexpr std::int64_t kOrphanScanMs = 300;
inline constexpr std::int64_t kTailPollMs = 1'000;             // the net below a lost doorbell
inline constexpr std::int64_t kControlPollMs = 1'000;          // the same for cancels

// Execution.
inline constexpr std::size_t kConcurrentRunsMax = 256;         // per process, unless configured
inline constexpr std::size_t kConcurrentTasksMax = 1'024;        // per process: tasks never wait for a place behind agents
inline constexpr std::size_t kSessionTasksMax = 100;             // live ones of a session, unless configured
inline constexpr std::size_t kSessionTasksCapMax = 10'000;       // ... which may say at most this
inline constexpr std::size_t kListedTasksMax = 100;              // ended ones that a list shows, unless configured
inline constexpr std::size_t kSessionTurnsMax = 100;             // live ones of a session: one at work, the others wait
inline constexpr std::int64_t kForegroundMs = 120'000;             // of a command, before it goes on as a task; unless configured
inline constexpr std::int64_t kWakeScanMs = 1'000;
inline constexpr std::int64_t kWakeDelayMs = 2'000;                // endings that come within it share a turn, and a person comes first
inline constexpr std::size_t kWakesInARow = 10;                    // turns of a session that nobody asked for
inline constexpr std::size_t kPendingRunsMax = 10'000;           // of a home, waiting for a place, unless configured
inline constexpr std::size_t kParallelToolsMax = 16;
inline constexpr std::int64_t kTurnsMax = 50;                  // model calls per run, unless configured
inline constexpr std::int64_t kToolCallsMax = 1'000;           // per run, unless configured
inline constexpr std::int64_t kModelRetriesMax = 4;            // per model call
inline constexpr std::int64_t kBackoffBaseMs = 250;
inline constexpr std::int64_t kBackoffMaxMs = 20'000;
inline constexpr std::int64_t kAttemptsMax = 1'000'000;        // epochs of one run
inline constexpr std::size_t kHistoryBytesMax = 8 << 20;       // conversation handed to a model
inline constexpr std::int64_t kDrainMs = 8'000;                // a stop waits this long for steps under way

// Looking at runs and ending them from the command line.
inline constexpr std::size_t kMonitorRowsMax = 200;
inline constexpr std::size_t kTreeRunsMax = 10'000;            // runs below one that is killed or looked at
inline constexpr std::uint64_t kStatusEventsMax = 20'000;      // a longer log is not folded for `status`
inline constexpr std::size_t kKillReasonBytesMax = 1'024;
inline constexpr std::int64_t kKillEndMs = 10'000;             // after both graces, for what a revived executor still has to end

// Memory of a session.
inline constexpr std::size_t kMemoryEntryBytesMax = 16 << 10;
inline constexpr std::size_t kMemoryEntriesMax = 1'000;
inline constexpr std::size_t kMemoryLabelBytesMax = 64;        // a fact's category, its importance
inline constexpr std::size_t kMemoryShownBytesMax = 16 << 10;  // what a model is told of it before a call
inline constexpr std::int64_t kMemoryRecalledMax = 200;        // entries in one answer

// Teams.
inline constexpr std::size_t kTeamNameBytesMax = 128;          // of a team, a member, an operation
inline constexpr std::size_t kTeamMembersMax = 256;            // and recipients of one message
inline constexpr std::size_t kTeamMailBytesMax = 1 << 20;      // one message
inline constexpr std::size_t kTeamArtifactsBytesMax = 64 << 10;  // what it names of files
inline constexpr std::int64_t kTeamMailsMax = 20'000;          // of one team
inline constexpr std::int64_t kTeamBytesMax = 64 << 20;        // ... together: its file is written whole
inline constexpr std::int64_t kTeamsListedMax = 10'000;
inline constexpr std::size_t kTeamReceivedMax = 50;            // in one answer to an agent
inline constexpr std::size_t kTeamReceivedBytesMax = 32 << 10;  // ... which closes at about this size; more of one message is cut
inline constexpr std::int64_t kTeamFileWaitMs = 5'000;         // for another process that writes a team's file

// Model providers. Times in milliseconds.
inline constexpr std::int64_t kConnectMs = 10'000;
inline constexpr std::int64_t kFirstTokenMs = 120'000;
inline constexpr std::int64_t kIdleMs = 120'000;
inline constexpr std::size_t kSseLineBytesMax = 4 << 20;
inline constexpr std::size_t kSseIdBytesMax = 1 << 10;
inline constexpr std::size_t kErrorBodyBytesMax = 64 << 10;
inline constexpr std::size_t kResponseBufferBytesMax = 256 << 10;
inline constexpr std::size_t kToolCallsPerTurnMax = 128;

// The HTTP server.
inline constexpr std::size_t kHttpHeaderBytesMax = 16 << 10;
inline constexpr std::size_t kHttpBodyBytesMax = 16 << 20;
inline constexpr std::size_t kHttpTargetBytesMax = 8 << 10;
inline constexpr std::size_t kFormFieldsMax = 256;
inline constexpr std::size_t kConnectionsMax = 20'000;
inline constexpr std::int64_t kHttpReadMs = 30'000;            // a whole request must arrive within this
inline constexpr std::int64_t kHttpIdleMs = 75'000;            // keep-alive between requests
inline constexpr std::int64_t kHttpWriteMs = 30'000;           // a reader that takes nothing for this long is cut
inline constexpr std::int64_t kSseKeepaliveMs = 15'000;
inline constexpr std::size_t kStreamWriteBytes = 64 << 10;     // one gathered write
inline constexpr std::int64_t kWaitSecondsMax = 60;
inline constexpr std::int64_t kPageLimitMax = 1'000;
inline constexpr std::int64_t kSessionRemovalMs = 10'000;      // a removal waits this long for cancelled runs to end
inline constexpr std::int64_t kAbortMs = 15'000;               // an abort of a session likewise
inline constexpr std::size_t kMessageBytesMax = 1 << 20;       // what a user says in one message of an app session
inline constexpr std::size_t kClientMessageIdBytesMax = 128;
inline constexpr std::size_t kEventsPageBytesMax = 256 << 10;  // one page of a session's events or history closes at about this size
inline constexpr std::int64_t kEventsPageUsual = 200;          // ... or this many, unless more are asked for (kPageLimitMax)

// Tools.
inline constexpr std::size_t kBlockingThreads = 4;             // for file tools and other blocking work
inline constexpr std::size_t kToolArgumentBytesMax = 1 << 20;
inline constexpr std::size_t kToolResultBytesMax = 100 << 10;  // what a model is given of one result
inline constexpr std::size_t kFileBytesMax = 32 << 20;         // a file a tool reads whole
inline constexpr std::size_t kChildOutputBytesMax = 1ul << 30;  // on disk, of one command
inline constexpr std::size_t kGlobMatchesMax = 1'000;
inline constexpr std::size_t kGrepMatchesMax = 1'000;
inline constexpr std::size_t kWalkEntriesMax = 200'000;

inline constexpr std::int64_t kRateCallsMax = 10'000;          // of a declared limit: calls in one period
inline constexpr std::int64_t kRatePeriodSecondsMax = 86'400;
inline constexpr std::int64_t kApprovalScanMs = 2'000;         // how often decisions that take too long are looked for

// MCP.
inline constexpr std::size_t kMcpMessageBytesMax = 4 << 20;    // one message
inline constexpr std::size_t kMcpBatchMax = 32;                // messages of a batch (2025-03-26 alone has them)
inline constexpr std::size_t kMcpIdBytesMax = 256;             // a request's id
inline constexpr std::size_t kMcpRequestsMax = 64;             // under way, of one client over standard input
inline constexpr std::size_t kMcpWatchedTasksMax = 100;        // of one subscriptions/listen
inline constexpr std::size_t kMcpEventsBytesMax = 64 << 10;    // one answer of run_events closes at about this size
inline constexpr std::int64_t kMcpEventsMax = 1'000;           // ... or this many events
inline constexpr std::int64_t kMcpPageMax = 50;                // one page of tasks/list
inline constexpr std::int64_t kMcpWaitSecondsMax = 3'600;
inline constexpr std::int64_t kMcpProgressMs = 5'000;          // between signs of life of a long request
inline constexpr std::int64_t kMcpPollMs = 1'000;              // how often a client is asked to look at a task

// MCP servers that agents use. Times in milliseconds.
inline constexpr std::size_t kMcpToolsMax = 256;                  // of one server
inline constexpr std::size_t kMcpListPagesMax = 64;               // of tools/list
inline constexpr std::size_t kMcpCursorBytesMax = 4 << 10;
inline constexpr std::size_t kMcpToolNameBytesMax = 128;          // as the server knows it
inline constexpr std::size_t kMcpDescriptionBytesMax = 4 << 10;   // a longer one is cut
inline constexpr std::size_t kMcpSchemaBytesMax = 64 << 10;       // a tool with a larger one is left out
inline constexpr std::size_t kMcpOutboxBytesMax = 8 << 20;        // written to a server that does not read
inline constexpr std::size_t kMcpErrorTailBytes = 2 << 10;        // of what a server writes to its standard error
inline constexpr std::size_t kMcpNoiseLinesMax = 1'000;           // lines of its output that are no messages, of one connection
inline constexpr std::size_t kMcpServerRequestsMax = 64;          // of a server, being answered
inline constexpr std::int64_t kMcpConnectMs = 10'000;             // a run waits this long for a server's tools
inline constexpr std::int64_t kMcpStartMs = 60'000;               // a server that takes longer to start is given up
inline constexpr std::int64_t kMcpCallMs = 60'000;                // of one call, unless configured
inline constexpr std::int64_t kMcpCallMsMax = 3'600'000;
inline constexpr std::int64_t kMcpTaskMsMax = 86'400'000;         // of a call that the server performs as a task
inline constexpr std::int64_t kMcpPollMsMin = 100;                // between looks at such a task
inline constexpr std::int64_t kMcpPollMsMax = 30'000;
inline constexpr std::int64_t kMcpFarewellMs = 2'000;             // for what is told to a server before it is left
inline constexpr std::int64_t kMcpBackoffMaxMs = 60'000;          // between attempts to start a server that fails
inline constexpr std::int64_t kMcpIdleMs = 60'000;                // a server that no run uses is ended after this
inline constexpr std::size_t kMcpServersMax = 64;                 // of one app file

// Definitions.
inline constexpr std::size_t kConfigBytesMax = 4 << 20;

// Playbooks.
inline constexpr std::int64_t kPlaybookWorkersMax = 32;
inline constexpr std::int64_t kPlaybookOpsMax = 50;
inline constexpr std::size_t kPlaybookArgsMax = 64;
inline constexpr std::size_t kPlaybookArgNameBytesMax = 64;
inline constexpr std::size_t kPlaybookArtifactsMax = 100;
inline constexpr std::size_t kPlaybookPathBytesMax = 1024;       // of an artifact, of a directory to save into
inline constexpr std::size_t kPlaybookPromptBytesMax = 4 << 20;  // with all its values in it

// `outlast task`.
inline constexpr std::size_t kAssignmentsListedMax = 10'000;
// Coding-agent programs: one process' output, one line of it, and how much of it is read at once.
inline constexpr std::size_t kHarnessOutputBytesMax = 1UL << 30;
inline constexpr std::size_t kHarnessLineBytesMax = 16UL << 20;
inline constexpr std::size_t kHarnessReadBytes = 256UL << 10;
inline constexpr std::size_t kHarnessTextBytesMax = 256UL << 10;  // of one event: an answer, a result; the output file has all of it

}  // namespace base::limits
