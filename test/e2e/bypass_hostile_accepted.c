/* What a container may try with clients of its published port that it accepts; see bypass_hostile.c. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bypass_hostile.h"

static void accepted(void)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < 2; i++) {
		struct sockaddr_storage name = { 0 }, peer = { 0 };
		int listener = listener_of(families[i], SOCK_NONBLOCK), visitor = visit("hello"), fd;
		socklen_t size = sizeof(name), peer_size = sizeof(peer);
		char text[INET6_ADDRSTRLEN] = "";

		await(listener, "nobody came");
		usleep(50000);		/* what he says is there before he is accepted */
		fd = accept(listener, (struct sockaddr *)&name, &size);
		need(fd >= 0 && device_of(fd) > 0, "handed over");
		need(get_int(fd, SOL_SOCKET, SO_DOMAIN) == families[i] && name.ss_family == families[i], "its family");
		need(getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0 && size == peer_size && memcmp(&peer, &name, size) == 0, "the peer");
		if (families[i] == AF_INET)
			inet_ntop(AF_INET, &((struct sockaddr_in *)&name)->sin_addr, text, sizeof(text));
		else
			inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&name)->sin6_addr, text, sizeof(text));
		need(strcmp(strrchr(text, ':') ? strrchr(text, ':') + 1 : text, "10.77.0.1") == 0, "who came");
		need(!(fcntl(fd, F_GETFL) & O_NONBLOCK) && fcntl(fd, F_GETFD) == 0, "it blocks, and stays at exec");
		converse(visitor, fd, "hello");
		close(listener);
	}
}

static void accepted_properties(void)
{
	int listener = listener_of(AF_INET, 0), on = 1, visitor = visit("x"), fd = accept_visitor(listener, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct sockaddr_in name;
	socklen_t size = 4;

	need(fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) == FD_CLOEXEC, "flags");
	need(!get_int(fd, IPPROTO_TCP, TCP_NODELAY) && !get_int(fd, SOL_SOCKET, SO_KEEPALIVE), "the host's options");
	converse(visitor, fd, "x");
	setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(listener, IPPROTO_TCP, TCP_KEEPIDLE, &(int){ 77 }, sizeof(int));
	visitor = visit("y");
	await(listener, "nobody came");
	memset(&name, 0x55, sizeof(name));
	fd = accept(listener, (struct sockaddr *)&name, &size);
	need(fd >= 0 && device_of(fd) > 0 && size == sizeof(name) && name.sin_addr.s_addr == 0x55555555, "the name is cut off");
	need(get_int(fd, SOL_SOCKET, SO_KEEPALIVE) && get_int(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 77, "the listener's options");
	converse(visitor, fd, "y");
	need(accept4(listener, NULL, NULL, 0x5) < 0 && errno == EINVAL, "no such flags");
	need(accept(999, NULL, NULL) < 0 && errno == EBADF, "no descriptor");
	need(accept(STDIN_FILENO, NULL, NULL) < 0 && errno == ENOTSOCK, "no socket");
	need(accept(new_socket(0), NULL, NULL) < 0 && errno == EINVAL, "it does not listen");
}

static void *accept_blocking(void *listener)
{
	static _Atomic int fd;

	fd = accept(*(int *)listener, NULL, NULL);
	return (void *)&fd;
}

/* The kernel waits, and the connection is one of the container's network: the visitor does not notice. */
static void accepted_in_kernel(void)
{
	int listener = listener_of(AF_INET, 0), visitor;
	pthread_t thread;
	void *fd;

	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = ignore }, NULL);
	alarm(1);
	need(accept(listener, NULL, NULL) < 0 && errno == EINTR, "interrupted");
	need(pthread_create(&thread, NULL, accept_blocking, &listener) == 0, "thread");
	usleep(100000);
	visitor = visit("blocked");
	pthread_join(thread, &fd);
	need(device_of(*(int *)fd) == 0, "the kernel accepted it");
	converse(visitor, *(int *)fd, "blocked");
}

/* The container's own clients between the visitors. */
static void accepted_neighbours(void)
{
	int listener = listener_of(AF_INET, 0), visitors[8], own[8], fds[16], from_outside = 0;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (int i = 0; i < 8; i++) {
		own[i] = new_socket(0);
		need(connect(own[i], (struct sockaddr *)&to, sizeof(to)) == 0, "connect to itself");
		need(write(own[i], "me\r\n\r\n", 6) == 6, "write");
		visitors[i] = visit("visitor");
	}
	for (int i = 0; i < 16; i++) {
		fds[i] = accept_visitor(listener, 0);
		from_outside += device_of(fds[i]) > 0;
	}
	need(from_outside == 8, "visitors are handed over, neighbours are not");
	for (int i = 0; i < 16; i++) {
		char text[20] = { 0 };

		need(read(fds[i], text, sizeof(text)) > 0 && strncmp(text, device_of(fds[i]) ? "visitor" : "me", 2) == 0, "who is who");
		need(write(fds[i], "answer\n", 7) == 7, "answer");
		close(fds[i]);
	}
	for (int i = 0; i < 8; i++) {
		char text[20] = { 0 };

		need(read(own[i], text, 7) == 7 && strcmp(text, "answer\n") == 0, "what the neighbour was answered");
		await(visitors[i], "what the visitor was answered");
		need(read(visitors[i], text, 7) == 7 && strcmp(text, "answer\n") == 0, "what the visitor was answered");
	}
}

/* Who cannot take him does not lose him, and who gives a bad address loses no more than in the kernel. */
static void accepted_refused(void)
{
	int listener = listener_of(AF_INET, SOCK_NONBLOCK), visitor = visit("patient"), fd, highest = dup(0);
	struct rlimit limit, few;

	await(listener, "nobody came");
	getrlimit(RLIMIT_NOFILE, &limit);
	few = (struct rlimit){ (rlim_t)highest, limit.rlim_max };
	close(highest);
	while (dup(0) < highest - 1)
		;
	need(setrlimit(RLIMIT_NOFILE, &few) == 0, "RLIMIT_NOFILE");
	while (dup(0) >= 0)
		;
	need(accept(listener, NULL, NULL) < 0 && errno == EMFILE, "no descriptor is left");
	setrlimit(RLIMIT_NOFILE, &limit);
	converse(visitor, accept_visitor(listener, 0), "patient");
	visitor = visit("unlucky");
	await(listener, "nobody came");
	need(accept(listener, (struct sockaddr *)8, (socklen_t *)&visitor) < 0 && errno == EFAULT, "a bad address");
	converse(visitor, accept_visitor(listener, 0), "unlucky");	/* he has come again */
	visitor = visit("unlucky");
	await(listener, "nobody came");
	need(accept(listener, (struct sockaddr *)8, (socklen_t *)8) < 0 && (errno == EFAULT || errno == EAGAIN), "a bad length");
	visitor = visit("after");
	for (;;) {		/* the unlucky one may have come again, or not */
		char text[20] = { 0 };

		fd = accept_visitor(listener, 0);
		need(recv(fd, text, sizeof(text) - 1, MSG_PEEK) > 0, "what he said");
		if (strncmp(text, "after", 5) == 0)
			break;
		close(fd);
	}
	converse(visitor, fd, "after");
}

/* Several processes at one socket, as servers do it; some are killed. Who is not with one of these is answered. */
static _Noreturn void work(int listener)
{
	int set = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN };

	epoll_ctl(set, EPOLL_CTL_ADD, listener, &e);
	for (;;) {
		char text[100];
		int fd;

		epoll_wait(set, &e, 1, -1);
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text)) > 0 && write(fd, "answer\n", 7) != 7)
			_exit(1);
		close(fd);
	}
}

static pid_t worker(int listener)
{
	pid_t pid = fork();

	if (pid == 0)
		work(listener);
	return pid;
}

static int is_answered(int visitor)
{
	char text[8] = { 0 };
	struct pollfd p = { .fd = visitor, .events = POLLIN };
	int good = poll(&p, 1, 10000) == 1 && read(visitor, text, 7) == 7;

	close(visitor);
	return good;
}

static void accepted_by_many(void)
{
	int listener = listener_of(AF_INET6, SOCK_NONBLOCK), visitors[40];
	pid_t workers[4];

	for (int i = 0; i < 4; i++)
		workers[i] = worker(listener);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 40; i++)
			visitors[i] = visit("many");
		for (int i = 0; i < 40; i++)
			need(is_answered(visitors[i]), "one was not answered");
	}
	for (int i = 0; i < 100; i++) {		/* killed at any moment */
		visitors[i % 40] = visit("many");
		usleep((useconds_t)(i * 20));
		kill(workers[i % 4], SIGKILL);
		waitpid(workers[i % 4], NULL, 0);
		workers[i % 4] = worker(listener);
		close(visitors[i % 40]);
	}
	need(is_answered(visit("last")), "after workers were killed");
	for (int i = 0; i < 4; i++)
		kill(workers[i], SIGKILL);
}

/* The monitor must not wait, whatever the socket is made to be between its look and its call. */
static void *swap_blocking(void *listener)
{
	while (!stop)
		for (int flags = 0; flags < 2; flags++)
			fcntl(*(int *)listener, F_SETFL, flags ? O_NONBLOCK : 0);
	return NULL;
}

static void *accept_all(void *listener)
{
	while (!stop) {
		int fd = accept(*(int *)listener, NULL, NULL);
		char text[100];

		if (fd >= 0 && read(fd, text, sizeof(text)) > 0 && write(fd, "answer\n", 7) != 7)
			exit(1);
		close(fd);
	}
	return NULL;
}

static void accept_raced(void)
{
	int listener = listener_of(AF_INET, 0), visitors[5];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		need(pthread_create(&threads[i], NULL, i ? accept_all : swap_blocking, &listener) == 0, "thread");
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 5; i++)
			visitors[i] = visit("raced");
		for (int i = 0; i < 5; i++)
			need(is_answered(visitors[i]), "one was not answered");
	}
	need(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &stop, sizeof(stop)) == 0, "it is still there");
}

/* What is not locked of an accepted socket: known, and written down. What is left: no privileged port, and no listening. */
static void accepted_port(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(81) };
	int fd = idle_handed_over();

	need(bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 && errno == EACCES, "a port below 1024");
	name.sin_port = htons(8123);
	bind(fd, (struct sockaddr *)&name, sizeof(name));
	need(listen(fd, 1) < 0 && errno == EINVAL, "listen to a port of the host's");
}

/* Whoever else has a socket keeps it in epoll sets after its close. */
static void accepted_alone(void)
{
	int listener = listener_of(AF_INET, SOCK_NONBLOCK), set = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN };

	for (int i = 0; i < 200; i++) {
		int visitor = visit("alone"), fd = accept_visitor(listener, 0);

		need(device_of(fd) > 0, "handed over");
		need(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0, "epoll_ctl");
		close(fd);
		need(epoll_wait(set, &e, 1, i % 2) == 0, "somebody else has it, too");
		close(visitor);
	}
}

const struct check accepted_checks[] = {
	{ "accepted", accepted }, { "accepted_properties", accepted_properties }, { "accepted_in_kernel", accepted_in_kernel },
	{ "accepted_neighbours", accepted_neighbours }, { "accepted_refused", accepted_refused },
	{ "accepted_by_many", accepted_by_many }, { "accept_raced", accept_raced }, { "accepted_port", accepted_port },
	{ "accepted_alone", accepted_alone },
	{ NULL, NULL },
};
