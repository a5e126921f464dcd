SELECT * FROM public.s;
