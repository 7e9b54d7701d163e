/* A hub of models on this machine, for tests/cli/hub.sh: answers as the Hugging Face Hub does, or as its owners' names say.
 *
 *   hub_server FOLDER SHA256 LOG
 *
 * OWNER/NAME is the model in FOLDER/NAME; files ending in .safetensors are large ones: the hub redirects to a second port, which must
 * not see the token. SHA256 is that of NAME/model.safetensors. Prints both ports in a line, writes a line a request into LOG
 * ("GET /path token range"), and ends by itself after two minutes. Owners:
 *
 *   ok     as it should be               drop   the first two bodies of a large file break off half-way
 *   stall  the first one stands still    deaf   breaks off once, and then sends all of it whatever was asked for
 *   shift  the part sent is another      loop   redirects for ever
 *   long   a length above the true one   more   no length, and more bytes than there are
 *   less   no length, and fewer bytes    wrong  another checksum          big    says that it has a petabyte
 *   gated  403     secret  401 without the token     none  404     busy  503 twice     down  503 always
 *   bare   no ETag   path  an ETag that is a path    list  a list of files that is none    climb  an index that names ../
 *   slow   large files take most of a second      moved  is called ok now
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
static const char *folder, *sha256, *log_path;
static int port[2];
enum { OWNERS = 256 };
static int *counts; /* of answers and of bodies of each owner, over all connections */

typedef struct request {
    int fd;
    bool head, token, second; /* second: at the port that large files come from */
    long from;                /* of a Range; -1: none */
    char path[512], owner[64], name[64], file[128];
} request;

static void put(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0) _exit(0);
        p += k;
        n -= (size_t)k;
    }
}

/* A response without a body of a file. */
static void answer(const request *r, const char *status, const char *headers, const char *body)
{
    char text[4096];
    int n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body),
                     headers, r->head ? "" : body);
    put(r->fd, text, (size_t)n);
}

/* The number of this answer (kind 0) or body (1) of the owner, from 1. */
static int count(const request *r, int kind)
{
    unsigned slot = 7;
    for (const char *c = r->owner; *c; c++) slot = slot * 31 + (unsigned char)*c;
    return __atomic_add_fetch(&counts[kind * OWNERS + (int)(slot % OWNERS)], 1, __ATOMIC_SEQ_CST);
}

static bool is(const request *r, const char *owner) { return strcmp(r->owner, owner) == 0; }
static bool is_large(const request *r) { return strlen(r->file) > 12 && strcmp(r->file + strlen(r->file) - 12, ".safetensors") == 0; }

static bool has_file(const char *name, const char *file)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
    return access(path, R_OK) == 0;
}

/* ---- the hub --------------------------------------------------------------------------------------------------------------- */

static void send_list(const request *r)
{
    static const char *const files[] = {"config.json",
                                        "vocab.txt",
                                        "tokenizer.json",
                                        "tokenizer_config.json",
                                        "model.safetensors",
                                        "model.safetensors.index.json",
                                        "model-00001-of-00002.safetensors",
                                        "model-00002-of-00002.safetensors",
                                        "pytorch_model.bin",
                                        "tf_model.h5",
                                        "README.md"};
    char body[2048] = "{\"sha\":\"" COMMIT "\",\"siblings\":[{\"rfilename\":\"onnx/model.onnx\"}";
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (has_file(r->name, files[i])) sprintf(body + strlen(body), ",{\"rfilename\":\"%s\"}", files[i]);
    strcat(body, "]}");
    answer(r, "200 OK", "Content-Type: application/json\r\n", is(r, "list") ? "{\"sha\":\"../../etc\",\"siblings\":[]}" : body);
}

static char *read_file(const request *r, long *size)
{
    char path[1024], *p;
    snprintf(path, sizeof path, "%s/%s/%s", folder, r->name, r->file);
    FILE *f = fopen(path, "rb");
    if (!f) return NULL;
    fseek(f, 0, SEEK_END);
    *size = ftell(f);
    rewind(f);
    p = malloc((size_t)*size + 1);
    if (!p || fread(p, 1, (size_t)*size, f) != (size_t)*size) _exit(1);
    fclose(f);
    return p;
}

/* Forty digits that differ where files do. */
static void tag_of(char out[41], const char *p, long size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (long i = 0; i < size; i++) h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
    snprintf(out, 41, "%016llx%016llx%08llx", (unsigned long long)h, (unsigned long long)(h * 3), (unsigned long long)(h >> 32));
}

static void send_whole(const request *r, const char *p, long size)
{
    char head[512], tag[41];
    tag_of(tag, p, size);
    int n =
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nConnection: close\r\nX-Repo-Commit: " COMMIT "\r\nContent-Length: %ld\r\n", size);
    if (!is(r, "bare")) n += snprintf(head + n, sizeof head - (size_t)n, "ETag: W/\"%s\"\r\n", is(r, "path") ? "../../x" : tag);
    n += snprintf(head + n, sizeof head - (size_t)n, "\r\n");
    put(r->fd, head, (size_t)n);
    if (!r->head) put(r->fd, p, (size_t)size);
}

static void send_redirect(const request *r, const char *p, long size)
{
    static const char other[] = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
    char headers[1024], tag[41], own[80];
    tag_of(tag, p, size);
    snprintf(own, sizeof own, "%s", strcmp(r->file, "model.safetensors") == 0 ? sha256 : tag);
    snprintf(headers, sizeof headers,
             "X-Repo-Commit: " COMMIT
             "\r\nX-Linked-Size: %s%ld\r\nX-Linked-Etag: \"%s\"\r\nETag: \"of-the-redirect\"\r\nLocation: http://127.0.0.1:%d%s\r\n",
             is(r, "big") ? "1000000000" : "", size, is(r, "wrong") ? other : own, is(r, "loop") && !r->head ? port[0] : port[1], r->path);
    answer(r, "302 Found", headers, "elsewhere");
}

/* ---- where large files come from ------------------------------------------------------------------------------------------------- */

static void send_large(const request *r, const char *p, long size)
{
    char head[512];
    int nth = count(r, 1);
    bool part = r->from >= 0 && !is(r, "deaf"), open = is(r, "more") || is(r, "less");
    bool breaks = (is(r, "drop") && nth <= 2) || ((is(r, "stall") || is(r, "deaf") || is(r, "shift")) && nth == 1);
    long from = part ? r->from - (is(r, "shift") ? 7 : 0) : 0, n = size - from, sent = breaks ? n / 2 : is(r, "less") ? n - 9 : n;
    int k = snprintf(head, sizeof head, "HTTP/1.1 %s\r\nConnection: close\r\n", part ? "206 Partial Content" : "200 OK");
    if (part) k += snprintf(head + k, sizeof head - (size_t)k, "Content-Range: bytes %ld-%ld/%ld\r\n", from, size - 1, size);
    if (!open) k += snprintf(head + k, sizeof head - (size_t)k, "Content-Length: %ld\r\n", n + (is(r, "long") ? 100 : 0));
    k += snprintf(head + k, sizeof head - (size_t)k, "\r\n");
    put(r->fd, head, (size_t)k);
    if (is(r, "slow")) put(r->fd, p + from, 1000), usleep(700000), put(r->fd, p + from + 1000, (size_t)sent - 1000);
    else put(r->fd, p + from, (size_t)sent);
    if (is(r, "more")) put(r->fd, "more", 4);
    if (is(r, "stall") && breaks && recv(r->fd, head, sizeof head, 0) >= 0) _exit(0); /* when the other end gives up */
}

/* ---- requests --------------------------------------------------------------------------------------------------------------- */

static void send_file(const request *r)
{
    static char climbs[] = "{\"weight_map\":{\"a\":\"../../../../x\"}}";
    long size = 0;
    char *p = read_file(r, &size);
    if (is(r, "climb") && strstr(r->file, ".index.json")) p = climbs, size = (long)sizeof climbs - 1;
    if (!p) answer(r, "404 Not Found", "X-Error-Code: EntryNotFound\r\n", "none");
    else if (r->second) send_large(r, p, size);
    else if (is_large(r)) send_redirect(r, p, size);
    else send_whole(r, p, size);
}

/* As the Hub answers for a model that has another name now: to the same place, without a host. */
static void send_moved(const request *r)
{
    char headers[700];
    const char *at = strstr(r->path, "moved/");
    snprintf(headers, sizeof headers, "Location: %.*sok/%s\r\n", (int)(at - r->path), r->path, at + strlen("moved/"));
    answer(r, "307 Temporary Redirect", headers, "moved");
}

static void serve(const request *r, bool api, const char *revision)
{
    bool busy = is(r, "down") || (is(r, "busy") && !r->second && count(r, 0) <= 2);
    if (r->second && r->token) answer(r, "400 Bad Request", "", "a token");
    else if (busy) answer(r, "503 Service Unavailable", "", "busy");
    else if (is(r, "moved") && !r->second) send_moved(r);
    else if (is(r, "none")) answer(r, "404 Not Found", "X-Error-Code: RepoNotFound\r\n", "none");
    else if (is(r, "secret") && !r->token && !r->second) answer(r, "401 Unauthorized", "X-Error-Code: RepoNotFound\r\n", "who");
    else if (is(r, "gated") && !api) answer(r, "403 Forbidden", "X-Error-Code: GatedRepo\r\n", "terms");
    else if (api && strcmp(revision, "nowhere") == 0) answer(r, "404 Not Found", "X-Error-Code: RevisionNotFound\r\n", "none");
    else if (api) send_list(r);
    else send_file(r);
}

static void note(const request *r)
{
    char line[700];
    int fd = open(log_path, O_WRONLY | O_APPEND | O_CREAT, 0666);
    int n =
        snprintf(line, sizeof line, "%s %s%s%s", r->head ? "HEAD" : "GET", r->path, r->token ? " token" : "", r->second ? " second" : "");
    if (r->from >= 0) n += snprintf(line + n, sizeof line - (size_t)n, " from %ld", r->from);
    line[n++] = '\n';
    if (fd < 0 || write(fd, line, (size_t)n) != n) _exit(1);
}

static void handle(int fd, bool second)
{
    static char text[16384];
    const struct timeval patience = {.tv_sec = 20};
    size_t n = 0;
    request r = {.fd = fd, .second = second, .from = -1};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (n + 1 < sizeof text && !strstr(text, "\r\n\r\n")) {
        ssize_t k = recv(fd, text + n, sizeof text - 1 - n, 0);
        if (k <= 0) _exit(0);
        n += (size_t)k;
    }
    char verb[8] = "", url[600] = "", revision[128] = "";
    if (sscanf(text, "%7s %599s", verb, url) != 2) _exit(0);
    char *path = strncmp(url, "http://", 7) == 0 ? strchr(url + 7, '/') : url; /* as a proxy is asked */
    snprintf(r.path, sizeof r.path, "%.500s", path ? path : "/");
    const char *colon = path && path != url ? strchr(url + 7, ':') : NULL;
    if (colon && colon < path) r.second = strtol(colon + 1, NULL, 10) == port[1];
    r.head = strcmp(verb, "HEAD") == 0;
    r.token = strcasestr(text, "\nAuthorization: Bearer hf_of_the_test\r") != NULL;
    const char *range = strcasestr(text, "\nRange: bytes=");
    if (range) r.from = strtol(range + 14, NULL, 10);
    note(&r);
    bool api = sscanf(r.path, "/api/models/%63[^/]/%63[^/]/revision/%127s", r.owner, r.name, revision) == 3;
    if (!api && sscanf(r.path, "/%63[^/]/%63[^/]/resolve/%127[^/]/%127s", r.owner, r.name, revision, r.file) != 4)
        answer(&r, "404 Not Found", "", "what");
    else serve(&r, api, revision);
    shutdown(fd, SHUT_WR);
    while (recv(fd, text, sizeof text, 0) > 0) {} /* until the other end has read it all: a reset would take it away */
    _exit(0);
}

static int listen_on(int *number)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 64) || getsockname(fd, (struct sockaddr *)&a, &n)) exit(2);
    *number = ntohs(a.sin_port);
    return fd;
}

int main(int argc, char **argv)
{
    enum { SECONDS = 120 };
    struct pollfd fd[2];
    if (argc != 4) return 2;
    folder = argv[1];
    sha256 = argv[2];
    log_path = argv[3];
    for (int i = 0; i < 2; i++) fd[i] = (struct pollfd){.fd = listen_on(&port[i]), .events = POLLIN};
    counts = mmap(NULL, 2 * OWNERS * sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED) return 2;
    signal(SIGCHLD, SIG_IGN);
    printf("%d %d\n", port[0], port[1]);
    fclose(stdout);
    alarm(SECONDS);
    for (;;) {
        if (poll(fd, 2, -1) <= 0) continue;
        for (int i = 0; i < 2; i++) {
            int one = fd[i].revents & POLLIN ? accept(fd[i].fd, NULL, NULL) : -1;
            if (one >= 0 && fork() == 0) handle(one, i == 1);
            if (one >= 0) close(one);
        }
    }
}
